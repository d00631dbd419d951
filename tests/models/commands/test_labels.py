"""`engine labels`, and `engine train --labels`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from engine_runtime.artefacts.dataset import Dataset
from engine_runtime.artefacts.encoder import EncoderArtefact
from engine_runtime.artefacts.run import Run
from engine_runtime.cli import run as engine


def test_a_run_is_taught(trained: Run, dataset: Dataset, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A person reads the measures, a machine the same as JSON; --force replaces."""
    call = ["labels", str(trained.root), str(dataset.root), "--labels", "taste, coin", "--out", str(tmp_path / "run")]
    assert engine(call) == 0
    out, err = capsys.readouterr()
    assert "taste" in out
    assert "calibration error" in out
    assert "Next: engine export" in err
    assert engine(call) == 2
    assert engine([*call, "--force", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert [head["name"] for head in document["labels"]] == ["taste", "coin"]
    assert document["digest"] == Run.open(tmp_path / "run").manifest.digest


@pytest.mark.parametrize(("names", "message"), [("shoe", "no attribute shoe"), (" , ", "names no attribute")])
def test_what_cannot_be_learned(
    trained: Run, dataset: Dataset, tmp_path: Path, names: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Attributes that are not there, and none at all, are wrong usage."""
    call = ["labels", str(trained.root), str(dataset.root), "--labels", names, "--out", str(tmp_path / "run")]
    assert engine(call) == 2
    assert message in capsys.readouterr().err


@pytest.mark.usefixtures("hashing")
def test_training_with_labels(
    dataset: Dataset, encoder: EncoderArtefact, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A training may be followed by the same in its place; an unknown attribute is said before it begins."""
    tiny = ["--dim", "8", "--max-events", "4", "--concepts", "4", "--epochs", "1", "--device", "cpu"]
    call = ["train", str(dataset.root), "--encoder", str(encoder.root), "--out", str(tmp_path / "run"), *tiny]
    assert engine([*call, "--labels", "shoe"]) == 2
    assert "encoding" not in capsys.readouterr().err
    assert engine([*call, "--labels", "taste"]) == 0
    assert "calibration error" in capsys.readouterr().out
    assert [info.name for info in Run.open(tmp_path / "run").info.labels] == ["taste"]
