"""What this process has used of the machine."""

from __future__ import annotations

import subprocess
import sys

import pytest

from engine_runtime.process import peak_memory, peak_memory_of_children


def test_peak_memory_is_in_bytes() -> None:
    """A Python with this engine's libraries takes megabytes, and no machine has a petabyte."""
    peak = peak_memory()
    assert peak is not None
    assert 10**6 < peak < 10**15


def test_memory_that_is_not_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the system does not count it, there is no figure."""
    monkeypatch.setitem(sys.modules, "resource", None)
    assert peak_memory() is None
    assert peak_memory_of_children() is None


def test_children_are_counted_when_they_have_ended() -> None:
    """The largest of them is known, in bytes."""
    subprocess.run([sys.executable, "-c", "pass"], check=True)
    largest = peak_memory_of_children()
    assert largest is not None
    assert 10**6 < largest < 10**15
