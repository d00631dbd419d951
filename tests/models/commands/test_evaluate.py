"""`engine evaluate`."""

from __future__ import annotations

import dataclasses
import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from engine_models.commands import evaluate as command
from engine_models.published import Quoted
from engine_runtime.artefacts import run as run_layout
from engine_runtime.artefacts.dataset import Dataset
from engine_runtime.artefacts.encoder import EncoderArtefact
from engine_runtime.artefacts.run import Run
from engine_runtime.artefacts.writing import drafting
from engine_runtime.cli import run as engine
from planted import Rings, Served

pytestmark = pytest.mark.usefixtures("hashing")
BASELINES = ["popularity", "counting rules", "rules + text"]


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
    assert list(document["rows"]) == [*BASELINES, "model alone, fp32 exact", "model, fp32 exact"]
    assert document["quoted"] == []


def test_seeds_are_one_row(trained: Run, second: Run, dataset: Dataset, capsys: pytest.CaptureFixture[str]) -> None:
    """Runs of one recipe are a row with the mean of their seeds, its deviation, and each seed's own figures in JSON."""
    call = ["evaluate", str(trained.root), str(second.root), str(dataset.root)]
    assert engine([*call, "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)["rows"]
    assert list(rows) == [*BASELINES, "model alone, fp32 exact", "model, fp32 exact"]
    row = rows["model alone, fp32 exact"]
    each = [seed["ndcg@10"] for seed in row["seeds"]]
    assert row["metrics"]["ndcg@10"]["mean"] == pytest.approx(np.mean(each))
    assert row["deviation"]["ndcg@10"] == pytest.approx(np.std(each, ddof=1))
    assert engine(call) == 0
    out = capsys.readouterr().out
    assert "model, fp32 exact (2 seeds)" in out
    assert "±" in out


def test_other_recipes_have_rows_of_their_own(
    trained: Run, dataset: Dataset, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A run of another recipe is no seed of the first: both are named by their directories."""
    with drafting(tmp_path / "sealed", run_layout.KIND) as draft:
        shutil.copytree(trained.root, draft.path, dirs_exist_ok=True, ignore=shutil.ignore_patterns("manifest.json"))
        settings = {**trained.info.settings, "dropout": 0.9}
        draft.seal(dataclasses.replace(trained.info, settings=settings), trained.manifest.parents)
    assert engine(["evaluate", str(trained.root), str(tmp_path / "sealed"), str(dataset.root), "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)["rows"]
    assert {"run: model, fp32 exact", "sealed: model, fp32 exact"} <= set(rows)


def test_a_run_is_named_once(trained: Run, dataset: Dataset, capsys: pytest.CaptureFixture[str]) -> None:
    """The same run twice is no second seed."""
    again = str(trained.root / ".." / trained.root.name)
    assert engine(["evaluate", str(trained.root), again, str(dataset.root)]) == 2
    assert "hold the same run" in capsys.readouterr().err


def test_ablations_have_rows(trained: Run, dataset: Dataset, capsys: pytest.CaptureFixture[str]) -> None:
    """With --ablations, parts of the run and shuffled histories stand beside it."""
    assert engine(["evaluate", str(trained.root), str(dataset.root), "--ablations", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)["rows"]
    wanted = {"mean profile alone", "last event alone", "last item's vector alone", "shuffled history"}
    assert wanted <= set(rows)


def test_figures_of_the_literature_are_quoted(
    trained: Run, dataset: Dataset, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """For a data set with published figures, they stand in the table, marked as not run here."""
    quoted = Quoted("SomeRec", "its paper", 0.25, 0.125)
    monkeypatch.setattr(command, "PUBLISHED", {dataset.info.name: (quoted,)})
    assert engine(["evaluate", str(trained.root), str(dataset.root), "--users", "20"]) == 0
    out = capsys.readouterr().out
    assert "SomeRec (quoted: its paper)" in " ".join(out.split())
    assert "0.1250" in out


def test_a_bundle_is_asked_as_it_serves(served: Served, dataset: Dataset, capsys: pytest.CaptureFixture[str]) -> None:
    """A bundle has a row that names its variant and its index."""
    call = ["evaluate", str(served.bundles[0]), str(dataset.root), "--index", str(served.indexes[0]), "--json"]
    assert engine(call) == 0
    assert "as served, int8 hnsw" in json.loads(capsys.readouterr().out)["rows"]


def test_bundles_of_seeds_are_one_row(
    served: Served, trained: Run, second: Run, dataset: Dataset, capsys: pytest.CaptureFixture[str]
) -> None:
    """Bundles whose runs are seeds of one recipe are a row too; indexes may be named in any order."""
    paths = [str(path) for path in (trained.root, second.root, *served.bundles, dataset.root)]
    options = [text for path in reversed(served.indexes) for text in ("--index", str(path))]
    assert engine(["evaluate", *paths, *options, "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)["rows"]
    assert len(rows["as served, int8 hnsw"]["seeds"]) == 2


def test_a_bundle_needs_its_index(served: Served, dataset: Dataset, capsys: pytest.CaptureFixture[str]) -> None:
    """Without --index the message says what to add."""
    assert engine(["evaluate", str(served.bundles[0]), str(dataset.root)]) == 2
    assert "--index" in capsys.readouterr().err


def test_an_index_of_other_data_is_refused(served: Served, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Item numbers of two data sets do not mix: an index of another one is refused with both digests."""
    other = Rings(users=20).ingest(tmp_path / "other", seed=9)
    assert engine(["evaluate", str(served.bundles[0]), str(other.root), "--index", str(served.indexes[0])]) == 5
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
