"""The state of a training that is not finished: written after a validation, read to go on as if nothing happened.

Knows safetensors, modules and the optimiser; random numbers are drawn anew from seed and epoch, so they need no
state.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from engine_runtime.artefacts.manifest import open_artefact
from engine_runtime.artefacts.writing import drafting

Settings = dict[str, float | int | str | bool | None]

KIND = "checkpoint"
TENSORS_FILE = "state.safetensors"
LIMITS = ("epochs", "minutes", "patience")
"""Settings that say how long to train, and not how: a training may go on under other ones."""


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
    """What a checkpoint belongs to and how far it is.

    Attributes
    ----------
    progress
        How far it is.
    settings
        What it is trained with.
    log
        What each validation found.
    """

    progress: Progress
    settings: Settings
    log: tuple[dict[str, float | int], ...] = ()


def write_checkpoint(
    path: Path,
    modules: Mapping[str, nn.Module],
    optimizer: torch.optim.Adam,
    best: dict[str, Tensor],
    info: CheckpointInfo,
    parents: dict[str, str],
) -> None:
    """Write everything that the next epoch depends on, in one step.

    Parameters
    ----------
    path
        Where.
    modules
        All that is trained or kept up with it, by name.
    optimizer
        Its state.
    best
        Weights of the best validation.
    info, parents
        What the checkpoint belongs to.
    """
    tensors = {
        f"{part}.{name}": state for part, module in modules.items() for name, state in module.state_dict().items()
    }
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
    modules: Mapping[str, nn.Module],
    optimizer: torch.optim.Adam,
    info: CheckpointInfo,
    parents: dict[str, str],
) -> tuple[CheckpointInfo, dict[str, Tensor]] | None:
    """Load the checkpoint at `path` into `modules` and `optimizer`.

    Returns
    -------
    tuple of CheckpointInfo and the best weights, or None
        None where there is no checkpoint, or it is of another training: other settings, data set or encoder. How
        long to train may differ.
    """
    if not path.exists():
        return None
    manifest, found = open_artefact(path, KIND, CheckpointInfo)
    if _identity(found.settings) != _identity(info.settings) or manifest.parents != parents:
        return None
    tensors = load_file(path / TENSORS_FILE)
    for part, module in modules.items():
        module.load_state_dict(_under(tensors, f"{part}."))
    state: dict[int, dict[str, Tensor]] = {}
    for name, tensor in _under(tensors, "optimizer.").items():
        number, key = name.split(".", 1)
        state.setdefault(int(number), {})[key] = tensor
    optimizer.load_state_dict(optimizer.state_dict() | {"state": state})
    return found, _under(tensors, "best.")


def _identity(settings: Settings) -> Settings:
    return {name: value for name, value in settings.items() if name not in LIMITS}


def _under(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}
