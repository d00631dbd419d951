"""Item head and refiner as one model, and its way to and from a run.

Knows safetensors and the run's files; knows nothing of training.
"""

from __future__ import annotations

from pathlib import Path
from typing import cast

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from engine_models.head import ItemHead
from engine_models.refiner import Refiner
from engine_runtime.artefacts.run import RefinerShape, Run
from engine_runtime.errors import MachineError


class ProfileModel(nn.Module):
    """What a run holds: `head` makes item vectors, `refiner` reads them, `concepts` are points among whitened texts.

    Parameters
    ----------
    shape
        Sizes.
    n_items
        Items of the training set.
    dropout
        Of the refiner, while training.
    """

    concepts: Tensor

    def __init__(self, shape: RefinerShape, n_items: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.register_buffer("concepts", torch.zeros(shape.n_concepts, shape.white_dim))
        self.head = ItemHead(shape.text_dim, shape.white_dim, shape.dim, n_items)
        self.refiner = Refiner(shape, dropout)

    @torch.no_grad()
    def place_centres(self) -> None:
        """Put the refiner's centres where the head puts the concepts now."""
        self.refiner.centres.copy_(self.head(self.concepts))

    def item_vectors(self, white: Tensor, keep: Tensor | None = None) -> Tensor:
        """Vectors of all training items, residuals added: [n_items, white_dim] -> [n_items, dim].

        `keep`, [n_items, 1], multiplies the residuals: zeros train the path of a new item.
        """
        residual = self.head.residual if keep is None else self.head.residual * keep
        return cast(Tensor, self.head(white) + residual)


def save_weights(model: ProfileModel, path: Path) -> None:
    """Write the weights as safetensors."""
    save_file({name: tensor.contiguous() for name, tensor in model.state_dict().items()}, path)


def load_model(run: Run) -> ProfileModel:
    """The model of a run, on the CPU, in evaluation mode."""
    weights = load_file(run.weights)
    model = ProfileModel(run.info.shape, len(weights["head.residual"]))
    model.load_state_dict(weights)
    return model.eval()


def pick_device(name: str) -> torch.device:
    """The device `name`: ``auto`` is CUDA where there is one; raises `MachineError` where `name` is not there."""
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    if name == "cuda" and not torch.cuda.is_available():
        raise MachineError("PyTorch finds no CUDA device here. Use --device cpu, or install PyTorch for CUDA.")
    return torch.device(name)
