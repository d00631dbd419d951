"""`engine train`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from engine_runtime.artefacts.dataset import Dataset
from engine_runtime.artefacts.encoder import EncoderArtefact
from engine_runtime.artefacts.run import Run
from engine_runtime.cli import run as engine

pytestmark = pytest.mark.usefixtures("hashing")
TINY = ["--dim", "8", "--max-events", "4", "--concepts", "4", "--epochs", "2", "--device", "cpu"]


@pytest.fixture
def call(dataset: Dataset, encoder: EncoderArtefact, tmp_path: Path) -> list[str]:
    return ["train", str(dataset.root), "--encoder", str(encoder.root), "--out", str(tmp_path / "run"), *TINY]


def test_a_person_reads_what_came_of_it(call: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The result goes to stdout, progress and the next command to stderr."""
    assert engine([*call, "--dropout", "0.2", "--seed", "3", "--minutes", "5"]) == 0
    out, err = capsys.readouterr()
    assert "validation NDCG@10" in out
    assert "epoch 2: loss" in err
    assert "Next: engine export" in err
    settings = Run.open(tmp_path / "run").info.settings
    assert (settings["dim"], settings["n_concepts"], settings["dropout"], settings["seed"]) == (8, 4, 0.2, 3)


def test_a_machine_reads_json(call: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With --json, stdout is one document that names the run."""
    assert engine([*call, "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["digest"] == Run.open(tmp_path / "run").manifest.digest
    assert document["epochs"] == 2


def test_a_taken_path_needs_force(call: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A run is replaced only with --force."""
    assert engine(call) == 0
    assert engine(call) == 2
    assert "--force" in capsys.readouterr().err
    assert engine([*call, "--force", "--resume"]) == 0
    assert "afresh" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        (["--precision", "int8"], 2, "no variant 'int8'"),
        (["--dim", "9"], 2, "no multiple of the 2 attention heads"),
        (["--dim", "4"], 2, "--dim"),
        (["--device", "cuda"], 3, "no CUDA device"),
    ],
)
def test_mistakes_are_said(
    call: list[str],
    options: list[str],
    code: int,
    message: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """What cannot be carried out ends with its exit code and a message, not a traceback."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert engine([*call, *options]) == code
    assert message in capsys.readouterr().err


def test_encoder_has_to_be_one(dataset: Dataset, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A data set in the encoder's place is refused by name."""
    assert engine(["train", str(dataset.root), "--encoder", str(dataset.root), "--out", str(tmp_path / "run")]) == 5
    assert "holds the artefact 'dataset'" in capsys.readouterr().err


def test_parts_can_be_left_out(call: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The run keeps what it was trained without; a part that there is not is refused."""
    assert engine([*call, "--without", "text,decoder"]) == 0
    assert Run.open(tmp_path / "run").info.settings["without"] == "text,decoder"
    assert engine([*call, "--force", "--without", "voice"]) == 2
    assert "there is no part 'voice'" in capsys.readouterr().err
