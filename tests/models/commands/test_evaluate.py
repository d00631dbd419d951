"""`engine evaluate`."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from engine_models.commands import evaluate as command
from engine_runtime.artefacts import bundle, index
from engine_runtime.artefacts.dataset import Dataset
from engine_runtime.artefacts.encoder import EncoderArtefact
from engine_runtime.artefacts.index import IndexInfo
from engine_runtime.artefacts.run import Run
from engine_runtime.artefacts.writing import drafting
from engine_runtime.cli import run as engine
from engine_runtime.data.histories import Histories
from planted import Rings


@pytest.fixture
def served(tmp_path: Path, dataset: Dataset, trained: Run, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    """A bundle and an index of the data set, and an engine that stands for both."""
    with drafting(tmp_path / "bundle", bundle.KIND) as draft:
        made = draft.seal(trained.info)
    with drafting(tmp_path / "index", index.KIND) as draft:
        info = IndexInfo("int8", 8, 56, 56, 56, "hnsw", 16, 100, 50, 1.0, 10)
        draft.seal(info, {"bundle": made.digest, "dataset": dataset.manifest.digest})

    def recommend(profiles: Histories, k: int) -> SimpleNamespace:
        return SimpleNamespace(items=np.full((len(profiles), k), -1, np.int32))

    stands = SimpleNamespace(
        profile=lambda histories: histories,
        recommend=recommend,
        precision="int8",
        shelf=SimpleNamespace(index=SimpleNamespace(method="hnsw")),
    )
    monkeypatch.setattr(command, "Engine", SimpleNamespace(load=lambda *_: stands))
    return tmp_path / "bundle", tmp_path / "index"


def test_a_person_reads_tables(trained: Run, dataset: Dataset, capsys: pytest.CaptureFixture[str]) -> None:
    """A run stands beside the baselines, with intervals and slices."""
    assert engine(["evaluate", str(trained.root), str(dataset.root)]) == 0
    out, err = capsys.readouterr()
    for expected in ("popularity", "counting rules", "model alone, fp32 exact", "model, fp32 exact", "tie-free"):
        assert expected in out
    assert "ranking 56 items" in err


def test_a_machine_reads_json(trained: Run, dataset: Dataset, capsys: pytest.CaptureFixture[str]) -> None:
    """With --json, stdout is one document with every row; a sample of users is as large as asked."""
    assert engine(["evaluate", str(trained.root), str(dataset.root), "--users", "30", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["n_users"] == 30
    assert list(document["rows"]) == ["popularity", "counting rules", "model alone, fp32 exact", "model, fp32 exact"]


def test_several_runs_are_told_apart(trained: Run, dataset: Dataset, capsys: pytest.CaptureFixture[str]) -> None:
    """Two runs in one evaluation have rows of their own, named by their paths."""
    paths = (str(trained.root), str(trained.root / ".." / trained.root.name))
    assert engine(["evaluate", *paths, str(dataset.root), "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)["rows"]
    assert {f"{path}: model, fp32 exact" for path in paths} <= set(rows)
    assert len(rows) == 6


def test_a_bundle_is_asked_as_it_serves(
    served: tuple[Path, Path], dataset: Dataset, capsys: pytest.CaptureFixture[str]
) -> None:
    """A bundle has a row that names its variant and its index."""
    bundle_path, index_path = map(str, served)
    assert engine(["evaluate", bundle_path, str(dataset.root), "--index", index_path, "--json"]) == 0
    assert "as served, int8 hnsw" in json.loads(capsys.readouterr().out)["rows"]


def test_a_bundle_needs_its_index(
    served: tuple[Path, Path], dataset: Dataset, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without --index the message says what to add."""
    assert engine(["evaluate", str(served[0]), str(dataset.root)]) == 2
    assert "--index" in capsys.readouterr().err


def test_an_index_of_other_data_is_refused(
    served: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Item numbers of two data sets do not mix: an index of another one is refused with both digests."""
    other = Rings(users=20).ingest(tmp_path / "other", seed=9)
    assert engine(["evaluate", str(served[0]), str(other.root), "--index", str(served[1])]) == 5
    assert other.manifest.digest[:12] in capsys.readouterr().err


def test_a_run_of_other_data_is_refused(trained: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A run is judged on the data set that it was trained on alone."""
    other = Rings(users=20).ingest(tmp_path / "other", seed=9)
    assert engine(["evaluate", str(trained.root), str(other.root)]) == 5
    assert other.manifest.digest[:12] in capsys.readouterr().err


def test_only_models_can_be_evaluated(
    encoder: EncoderArtefact, dataset: Dataset, capsys: pytest.CaptureFixture[str]
) -> None:
    """An artefact that ranks nothing is refused by its kind."""
    assert engine(["evaluate", str(encoder.root), str(dataset.root)]) == 2
    assert "holds the artefact 'encoder'" in capsys.readouterr().err
