"""What a comparison of refiners is made on."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from engine_bench.refiners.entry import HERE, _contenders, _inputs, _served, contest
from engine_bench.seat import Contender
from engine_runtime.artefacts.bundle import Bundle
from engine_runtime.artefacts.dataset import Dataset
from engine_runtime.artefacts.run import Run
from engine_runtime.errors import ArtefactError, InputError, UsageError
from tiny import UNPLACED, ingest_shop


def test_what_does_not_belong_together_is_refused(bundle: Bundle, trained: Run, dataset: Dataset) -> None:
    """A data set that the run was not trained on is refused before anything is measured."""
    with pytest.raises(ArtefactError, match="dataset"):
        contest(bundle.root, trained.root, dataset.root, 12, None, 1, lambda message: None)


def test_a_bundle_without_float32_is_refused(bundle: Bundle) -> None:
    """There is nothing to be close to."""
    with pytest.raises(UsageError, match="--precision int8,fp32"):
        _served(replace(bundle, info=replace(bundle.info, precisions=("int8",))))


def test_the_variant_that_serves_is_ours(bundle: Bundle) -> None:
    """It is the one that the run was made for, where the bundle has it."""
    assert _served(bundle) == bundle.info.precision
    assert _served(replace(bundle, info=replace(bundle.info, precision="fp16"))) == bundle.info.precisions[0]


def test_users_without_ordered_events_are_not_refined(bundle: Bundle, tmp_path: Path) -> None:
    """A data set that has no others is refused."""
    silent = ingest_shop(tmp_path, events=UNPLACED)
    with pytest.raises(InputError, match="no ordered event"):
        _inputs(silent, bundle.info, None)


def test_replay_runs_in_its_own_python() -> None:
    """Both of its rows are there when a Python is given."""
    found = _contenders("int8", Path("/there/python"))
    assert found["replay-top10"] == Contender("/there/python", str(HERE / "replay_contender.py"), "top10")
    assert "replay-scores" in found
