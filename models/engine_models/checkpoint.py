"""The state of a training that is not finished: written after a validation, read to go on as if nothing happened.

Knows safetensors, the model and the optimiser; random numbers are drawn anew from seed and epoch, so they need no
state.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from engine_models.model import ProfileModel
from engine_runtime.artefacts.manifest import open_artefact
from engine_runtime.artefacts.writing import drafting

KIND = "checkpoint"
TENSORS_FILE = "state.safetensors"


@dataclass(frozen=True)
class Progress:
    """How far a training is.

    Attributes
    ----------
    epoch
        Epochs done.
    best_epoch
        Of the best validation so far; 0 before the first.
    best
        Its NDCG@10.
    stale
        Validations since.
    seconds
        Wall time so far.
    """

    epoch: int = 0
    best_epoch: int = 0
    best: float = -1.0
    stale: int = 0
    seconds: float = 0.0


@dataclass(frozen=True)
class CheckpointInfo:
    """What a checkpoint belongs to and how far it is."""

    progress: Progress
    settings: dict[str, float | int | str | bool | None]


def write_checkpoint(
    path: Path,
    model: ProfileModel,
    optimizer: torch.optim.Adam,
    best: dict[str, Tensor],
    info: CheckpointInfo,
    parents: dict[str, str],
) -> None:
    """Write everything that the next epoch depends on, in one step."""
    tensors = {f"model.{name}": tensor for name, tensor in model.state_dict().items()}
    tensors |= {f"best.{name}": tensor for name, tensor in best.items()}
    for number, state in optimizer.state_dict()["state"].items():
        tensors |= {f"optimizer.{number}.{name}": torch.as_tensor(value) for name, value in state.items()}
    with drafting(path, KIND, replace=True) as draft:
        save_file(
            {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()},
            draft.path / TENSORS_FILE,
        )
        draft.seal(info, parents)


def read_checkpoint(
    path: Path,
    model: ProfileModel,
    optimizer: torch.optim.Adam,
    info: CheckpointInfo,
    parents: dict[str, str],
) -> tuple[Progress, dict[str, Tensor]] | None:
    """Load the checkpoint at `path` into `model` and `optimizer`.

    Returns
    -------
    tuple of Progress and the best weights, or None
        None where there is no checkpoint, or it is of another training: other settings, data set or encoder.
    """
    if not path.exists():
        return None
    manifest, found = open_artefact(path, KIND, CheckpointInfo)
    if found.settings != info.settings or manifest.parents != parents:
        return None
    tensors = load_file(path / TENSORS_FILE)
    model.load_state_dict(_under(tensors, "model."))
    state: dict[int, dict[str, Tensor]] = {}
    for name, tensor in _under(tensors, "optimizer.").items():
        number, key = name.split(".", 1)
        state.setdefault(int(number), {})[key] = tensor
    optimizer.load_state_dict(optimizer.state_dict() | {"state": state})
    return found.progress, _under(tensors, "best.")


def _under(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}
