"""Who else keeps the machine busy."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from engine_bench import load
from engine_bench.load import LoadWatch, busy_seconds


def test_what_was_ones_own_is_not_foreign(monkeypatch: pytest.MonkeyPatch) -> None:
    """CPU seconds of one's own are taken off, and never more than there were."""
    clock = iter([10.0, 10.0, 10.0])
    monkeypatch.setattr(load, "busy_seconds", lambda: 103.0)
    monkeypatch.setattr(time, "perf_counter", lambda: next(clock))
    watch = LoadWatch(8.0, 100.0)
    assert watch.foreign(1.0) == pytest.approx(1.0)
    assert watch.foreign(3.0) == 0
    assert watch.foreign(9.0) == 0


def test_busy_time_leaves_out_idling(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Idle time and waiting for disks are not busy; stolen time is, and a guest's is not counted twice."""
    stat = tmp_path / "stat"
    stat.write_text("cpu  1 2 4 1000 2000 8 16 32 64 128\ncpu0 1 1 1\n")
    monkeypatch.setattr(load, "STAT", stat)
    monkeypatch.setattr(os, "sysconf", lambda name: 1)
    assert busy_seconds() == 63


def test_a_system_that_does_not_tell(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Without counters nothing is said, in place of nought."""
    monkeypatch.setattr(load, "STAT", tmp_path / "absent")
    assert LoadWatch.start().foreign(0.0) is None
