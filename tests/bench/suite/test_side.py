"""One side of a paired comparison."""

from __future__ import annotations

import json
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from engine_bench.suite import side
from engine_runtime.artefacts.bundle import Bundle
from engine_runtime.artefacts.dataset import Dataset
from tiny_builds import exact_index


@pytest.fixture(autouse=True)
def threads_as_before(monkeypatch: pytest.MonkeyPatch) -> None:
    """A side counts the threads of its process; this one is not its own."""
    monkeypatch.setattr(threading.Thread, "run", threading.Thread.run)


def test_a_turn_serves_what_it_was_given(bundle: Bundle, visited: Dataset, tmp_path: Path) -> None:
    """Users at equal distances, their last event hidden and asked for; items as the data set numbers them."""
    index = exact_index(bundle, visited, tmp_path / "index")
    given = {"bundle": bundle.root, "index": index, "dataset": visited.root, "users": 10, "threads": 1}
    (tmp_path / "one.json").write_text(json.dumps(given, default=str))
    settings, turn = side.load(str(tmp_path), "one")
    found = turn()
    assert "10 users, threads: 1" in settings
    assert found["lists"].shape == (10, side.TOP_K)
    assert len(np.unique(found["lists"])) > side.TOP_K
    assert found["targets"].shape == (10,)
    assert all((found[stage] > 0).all() for stage in ("profile", "recommend"))


def test_waiting_for_a_cpu_is_no_own_second(monkeypatch: pytest.MonkeyPatch) -> None:
    """A sleep is one; of several workers the mean wait counts; work takes no less than its CPU time."""
    queued = iter([0.0, 4.0, 1.0])
    monkeypatch.setattr(side, "_queued", lambda: next(queued))
    monkeypatch.setattr(time, "perf_counter", iter([0.0, 10.0]).__next__)
    monkeypatch.setattr(time, "process_time", iter([0.0, 3.0]).__next__)
    clock = side.Clock(2)
    began = clock.read()
    worker = threading.Thread()
    worker.run()
    assert clock.spent(began, clock.read()).tolist() == [10.0, 7.0, 3.0]
    assert clock.spent(np.zeros(3), np.array([10.0, 1.0, 3.0])).tolist() == [10.0, 1.5, 3.0]


def test_a_system_that_counts_no_waits(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Own seconds are those of the clock there."""
    monkeypatch.setattr(side, "QUEUE", tmp_path / "nothing")
    assert side._queued() == 0
