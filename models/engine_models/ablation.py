"""Parts of the model that a training can leave out, to see what each is worth.

Knows names and weights. A part is left out by weights that are zero and stay so: the model, its files and its graph are
those of every run. Without text and decoder what is left is SASRec (Kang and McAuley, 2018) with this recipe's loss.
"""

from __future__ import annotations

import torch

from engine_models.model import ProfileModel
from engine_runtime.errors import UsageError

PARTS = ("text", "id", "decoder")


def parts_of(without: str) -> tuple[str, ...]:
    """Names of the parts left out, in the order of `PARTS`, from names with commas between them.

    Raises
    ------
    UsageError
        There is no such part, or nothing would be left to know an item by.
    """
    asked = {name.strip() for name in without.split(",") if name.strip()}
    if unknown := sorted(asked - set(PARTS)):
        raise UsageError(f"there is no part '{unknown[0]}' to train without; there are {', '.join(PARTS)}.")
    if {"text", "id"} <= asked:
        raise UsageError("without text and id nothing is left to know an item by. Leave out one of them.")
    return tuple(part for part in PARTS if part in asked)


@torch.no_grad()
def leave_out(model: ProfileModel, without: str) -> None:
    """Set the weights of the parts in `without` to zero, for good.

    Without text a new item's vector is zero and no text is like another, without id an item is its text alone, without
    decoder the query is the norm of h_T and concepts are not trained.
    """
    weights = {
        "text": (model.head.whitening, *model.head.project.parameters()),
        "id": (model.head.residual,),
        "decoder": (model.refiner.gain.weight,),
    }
    for part in parts_of(without):
        for weight in weights[part]:
            weight.zero_()
            weight.requires_grad_(False)
