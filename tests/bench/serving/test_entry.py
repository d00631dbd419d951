"""What whole nights are compared on."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

import fake_nights
from engine_bench.seat import Contender
from engine_bench.serving import entry
from engine_bench.serving.contest import OURS
from engine_bench.serving.entry import HERE, JOINED, LARGE, MEAN, PEERS, Setting, contest
from engine_runtime.artefacts.bundle import Bundle
from engine_runtime.artefacts.dataset import Dataset
from engine_runtime.errors import ArtefactError, UsageError

SETTING = Setting(12, Path("weights"), None, 5, None, 1, 2)


def silent(message: str) -> None:
    """Say nothing."""


def test_the_large_one_runs_once_beside_ours(bundle: Bundle, visited: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    """The others have all rounds; a row of ours is shown once."""
    variants = {OURS: "empty", JOINED: "slow", MEAN: "broken", LARGE: "slow"}
    monkeypatch.setattr(
        entry, "_contender", lambda name: Contender(sys.executable, fake_nights.__file__, variants[name])
    )
    monkeypatch.setattr(fake_nights, "N_ITEMS", 20)
    found = contest(bundle.root, visited.root, PEERS, SETTING, silent)
    assert [(row.name, len(row.laps)) for row in found.rows] == [(OURS, 2), (JOINED, 2), (LARGE, 1)]
    assert list(found.left_out) == [MEAN]
    assert (found.users, found.events, found.items) == (12, 48, visited.info.n_items)
    assert (found.bundle, found.dataset) == (bundle.manifest.digest, visited.manifest.digest)


def test_what_cannot_be_compared(bundle: Bundle, dataset: Dataset, visited: Dataset) -> None:
    """An unknown peer, and a data set that the bundle was not made from, are refused before anything runs."""
    with pytest.raises(UsageError, match="unknown peer 'no'"):
        contest(bundle.root, visited.root, ["no"], SETTING, silent)
    with pytest.raises(ArtefactError, match="dataset"):
        contest(bundle.root, dataset.root, PEERS, SETTING, silent)


def test_each_contender_is_a_file() -> None:
    """The files are there, and the peers' variants are those of one file."""
    made = [entry._contender(name) for name in (OURS, *PEERS)]
    assert all(Path(each.file).is_file() and Path(each.file).parent == HERE for each in made)
    assert [each.variant for each in made] == ["auto", "joined", "mean", "large"]
