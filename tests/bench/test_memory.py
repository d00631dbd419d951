"""The most memory of a process."""

from __future__ import annotations

import mmap
import subprocess
import sys
from pathlib import Path

import pytest

from engine_bench import memory
from engine_bench.memory import peak_memory, resident_memory

CHILD = "from engine_bench.memory import peak_memory; print(peak_memory())"


def test_memory_given_back_still_counts() -> None:
    """The peak does not fall."""
    before = peak_memory()
    held = bytearray(before + 50_000_000)
    assert len(held) > 0
    del held
    assert peak_memory() >= before + 50_000_000


def test_memory_now_falls_where_the_peak_does_not() -> None:
    """What is given back no longer counts as held."""
    held = mmap.mmap(-1, 50_000_000)
    held.write(b"x" * len(held))
    before = resident_memory()
    held.close()
    assert resident_memory() <= before - 40_000_000 < peak_memory()


def test_a_child_begins_anew() -> None:
    """A small child of a large process is small."""
    held = bytearray(300_000_000)
    done = subprocess.run([sys.executable, "-c", CHILD], capture_output=True, text=True, check=True)
    assert 0 < int(done.stdout) < len(held)


def test_other_systems(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Where Linux's file is not there, the portable count is used, and where that is not there, none."""
    monkeypatch.setattr(memory, "STATUS", tmp_path / "absent")
    assert peak_memory() > 1_000_000
    assert resident_memory() == 0
    monkeypatch.setitem(sys.modules, "resource", None)
    assert peak_memory() == 0
