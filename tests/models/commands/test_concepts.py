"""`engine concepts`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from engine_runtime.artefacts.dataset import Dataset
from engine_runtime.artefacts.run import Run
from engine_runtime.cli import run as engine
from planted import Rings

pytestmark = pytest.mark.usefixtures("hashing")


def test_a_person_reads_concepts(trained: Run, dataset: Dataset, capsys: pytest.CaptureFixture[str]) -> None:
    """Concepts stand with their items, and the measures below them."""
    assert engine(["concepts", str(trained.root), str(dataset.root), "--show", "3"]) == 0
    out = capsys.readouterr().out
    for expected in ("3 of 6 concepts", "number", "profiles of odd and even events"):
        assert expected in out


def test_a_machine_reads_json(trained: Run, dataset: Dataset, capsys: pytest.CaptureFixture[str]) -> None:
    """With --json, stdout is one document."""
    assert engine(["concepts", str(trained.root), str(dataset.root), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["n_concepts"] == len(document["shown"]) == 6


def test_a_run_of_other_data_is_refused(trained: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A run is judged on the data set that it was trained on alone."""
    other = Rings(users=20).ingest(tmp_path / "other", seed=9)
    assert engine(["concepts", str(trained.root), str(other.root)]) == 5
    assert other.manifest.digest[:12] in capsys.readouterr().err
