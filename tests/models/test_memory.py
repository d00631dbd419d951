"""Memory that a training frees."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

from engine_models import memory

FAULTS = """
import resource, sys
import numpy as np
from engine_models.memory import keep_freed_memory
assert keep_freed_memory() if sys.argv[1] == "keep" else True
np.ones(10_000_000)
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(5):
    np.ones(10_000_000)
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc has the setting")
def test_freed_blocks_are_used_again() -> None:
    """Arrays of 80 MB one after another fault their pages in anew by default, and not once memory is kept."""
    faults = {
        mode: int(subprocess.run([sys.executable, "-c", FAULTS, mode], check=True, capture_output=True).stdout)
        for mode in ("keep", "default")
    }
    assert faults["keep"] < 0.1 * faults["default"]


def test_other_libraries_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without glibc nothing is tried."""
    monkeypatch.setattr(platform, "libc_ver", lambda: ("", ""))
    assert not memory.keep_freed_memory()
