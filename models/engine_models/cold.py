"""Items that training has not seen: their vectors, and a rehearsal with trained items that are taken for new ones.

Knows the model and item numbers; knows nothing of files.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from engine_models.model import ProfileModel
from engine_runtime.search.newcomers import Newcomers, find_newcomers, lend_successors
from engine_runtime.search.successors import SuccessorTable

Floats = npt.NDArray[np.float32]
Bools = npt.NDArray[np.bool_]

REHEARSED = 0.05
"""Share of the trained items that a rehearsal takes for new ones."""


@torch.inference_mode()
def item_table(model: ProfileModel, white: Tensor, trained: Bools) -> tuple[Floats, Newcomers]:
    """Item vectors as an index has them, float32 [items, d + white_dim], and which items are new.

    Parameters
    ----------
    model
        In evaluation mode.
    white
        float32 [items, white_dim].
    trained
        bool [items].
    """
    learned, directions = model.head(white).cpu().numpy(), model.head.direction(white).cpu().numpy()
    residuals = np.where(trained[:, None], model.head.residual.cpu().numpy(), np.float32(0))
    newcomers = find_newcomers(directions, trained)
    learned = learned + residuals
    learned[newcomers.items] += newcomers.borrowed(residuals)
    return np.concatenate((learned, directions), axis=1), newcomers


def draw(among: Bools, share: float, seed: int) -> Bools:
    """A random share of the items of a mask, bool [items]; none where the share is 0."""
    items = np.flatnonzero(among)
    drawn = np.zeros(len(among), np.bool_)
    drawn[np.random.default_rng(seed).choice(items, round(share * len(items)), replace=False)] = True
    return drawn


def rehearsal(trained: Bools, seed: int) -> tuple[Bools, Bools]:
    """Trained items that are taken for new, and really new ones that stay away meanwhile: bool [items] each.

    As many stay away as are taken for new, where there are so many: what new items cost the others grows with how many
    there are, and what is wanted is the cost of those that there will be.
    """
    taken = draw(trained, REHEARSED, seed)
    share = min(1.0, int(taken.sum()) / max(int((~trained).sum()), 1))
    return taken, draw(~trained, share, seed)


def rehearsed_table(table: SuccessorTable, newcomers: Newcomers) -> SuccessorTable:
    """The successor table as it would be had its new items had no events, lent to them by their neighbours."""
    n_items = table.start_row
    numbers = np.where(newcomers.mask(n_items), -1, np.arange(n_items)).astype(np.int32)
    return lend_successors(table.renumbered(numbers, n_items), newcomers)
