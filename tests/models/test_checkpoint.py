"""Checkpoints: a stopped training goes on as if nothing had happened."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from engine_models.checkpoint import TENSORS_FILE, CheckpointInfo, Progress, read_checkpoint, write_checkpoint
from engine_runtime.errors import ArtefactError

SETTINGS: dict[str, float | int | str | bool | None] = {
    "seed": 0,
    "learning_rate": 1e-3,
    "minutes": None,
    "precision": "int8",
}
INFO = CheckpointInfo(Progress(4, 2, 0.25, 1, 17.5), SETTINGS, ({"epoch": 2, "loss": 1.5}, {"epoch": 4, "loss": 1.25}))
PARENTS = {"dataset": "d" * 64, "encoder": "e" * 64}


class Small:
    """A training of one layer."""

    def __init__(self) -> None:
        torch.manual_seed(0)
        self.model = nn.Linear(3, 2)
        self.average = AveragedModel(self.model, multi_avg_fn=get_ema_multi_avg_fn(0.9))  # type: ignore[no-untyped-call]
        self.optimizer = torch.optim.Adam(self.model.parameters(), 0.1)
        self.modules = {"model": self.model, "average": self.average}

    def step(self, count: int) -> None:
        """Take some steps towards a fixed target."""
        for _ in range(count):
            self.optimizer.zero_grad()
            (self.model(torch.ones(4, 3)) - 5).square().sum().backward()
            self.optimizer.step()
            self.average.update_parameters(self.model)

    def state(self) -> dict[str, Tensor]:
        """Weights, their average and how many steps it has seen."""
        return {
            f"{part}.{name}": value
            for part, module in self.modules.items()
            for name, value in module.state_dict().items()
        }


@pytest.fixture
def written(tmp_path: Path) -> Path:
    training = Small()
    training.step(3)
    best = {name: value.clone() for name, value in training.model.state_dict().items()}
    write_checkpoint(tmp_path / "checkpoint", training.modules, training.optimizer, best, INFO, PARENTS)
    return tmp_path / "checkpoint"


def test_training_goes_on_bit_for_bit(written: Path) -> None:
    """Weights, their moving average and the optimiser's state are all there: further steps are those undisturbed."""
    undisturbed, resumed = Small(), Small()
    undisturbed.step(7)
    assert read_checkpoint(written, resumed.modules, resumed.optimizer, INFO, PARENTS)
    resumed.step(4)
    one, other = undisturbed.state(), resumed.state()
    assert one.keys() == other.keys()
    assert all(torch.equal(one[name], other[name]) for name in one)
    assert int(resumed.average.n_averaged) == 7


def test_progress_log_and_best_come_back(written: Path) -> None:
    """What was reached, logged and kept is read as it was written."""
    expected = Small()
    expected.step(3)
    reader = Small()
    found = read_checkpoint(
        written, reader.modules, reader.optimizer, replace(INFO, progress=Progress(), log=()), PARENTS
    )
    assert found is not None
    assert found[0] == INFO
    assert found[1].keys() == expected.model.state_dict().keys()
    assert all(torch.equal(found[1][name], value) for name, value in expected.model.state_dict().items())


@pytest.mark.parametrize(
    ("settings", "parents"),
    [
        ({"learning_rate": 2e-3}, PARENTS),
        ({"precision": "fp32"}, PARENTS),
        ({}, {**PARENTS, "dataset": "x" * 64}),
        ({}, {**PARENTS, "encoder": "x" * 64}),
    ],
)
def test_checkpoint_of_another_training_is_not_read(
    written: Path, settings: dict[str, float | str], parents: dict[str, str]
) -> None:
    """Other settings, another data set or another encoder: nothing is loaded."""
    training = Small()
    before = {name: value.clone() for name, value in training.state().items()}
    info = replace(INFO, settings={**SETTINGS, **settings})
    assert read_checkpoint(written, training.modules, training.optimizer, info, parents) is None
    assert all(torch.equal(before[name], value) for name, value in training.state().items())
    assert not training.optimizer.state_dict()["state"]


def test_a_training_goes_on_under_other_limits(written: Path) -> None:
    """How long to train is not part of what a checkpoint belongs to."""
    training = Small()
    info = replace(INFO, settings={**SETTINGS, "minutes": 5.0})
    found = read_checkpoint(written, training.modules, training.optimizer, info, PARENTS)
    assert found is not None
    assert found[0].progress == INFO.progress


def test_no_checkpoint(tmp_path: Path) -> None:
    """Where there is none, there is nothing to go on from."""
    training = Small()
    assert read_checkpoint(tmp_path / "none", training.modules, training.optimizer, INFO, PARENTS) is None


def test_a_checkpoint_is_replaced_in_one_step(written: Path) -> None:
    """Writing again leaves the newer checkpoint and nothing beside it."""
    training = Small()
    write_checkpoint(written, training.modules, training.optimizer, {}, replace(INFO, progress=Progress(6)), PARENTS)
    found = read_checkpoint(written, training.modules, training.optimizer, INFO, PARENTS)
    assert found is not None
    assert found[0].progress.epoch == 6
    assert [path.name for path in written.parent.iterdir()] == ["checkpoint"]


def test_damage_is_said(written: Path) -> None:
    """A checkpoint whose tensors were cut is refused, not loaded."""
    tensors = written / TENSORS_FILE
    tensors.write_bytes(tensors.read_bytes()[:-4])
    training = Small()
    with pytest.raises(ArtefactError, match="damaged"):
        read_checkpoint(written, training.modules, training.optimizer, INFO, PARENTS)
