"""A watched command: its memory with that of its children, its time, and what is said when it fails."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from engine_bench.scale.watched import PROC, family, memory_of, run_watched
from engine_runtime.errors import MachineError

HOLD = "import time; held = bytearray(b'x') * 60_000_000; time.sleep(1.5)"
PARENT = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {HOLD!r}])"


@pytest.mark.skipif(not PROC.exists(), reason="only Linux tells of other processes in /proc")
@pytest.mark.parametrize("code", [HOLD, PARENT])
def test_memory_of_children_counts(code: str, tmp_path: Path) -> None:
    """Sixty million bytes are seen, whether the command holds them or a child of it."""
    took = run_watched([sys.executable, "-c", code], tmp_path / "answer", tmp_path / "log")
    assert 60_000_000 < took.peak < 200_000_000
    assert took.seconds > 0
    assert took.cpu > 0


def test_a_family_has_its_root() -> None:
    """A process is in the family of its parent; one that is over has no memory."""
    if PROC.exists():
        assert os.getpid() in family(os.getppid())
    assert memory_of(2**22 + 1, "status", "VmHWM:") == 0


def test_a_command_that_is_not_there(tmp_path: Path) -> None:
    """It cannot be started, and that is said."""
    with pytest.raises(MachineError, match="cannot be started"):
        run_watched(["no-such-command"], tmp_path / "answer", tmp_path / "log")


def test_stdout_and_stderr_have_files_of_their_own(tmp_path: Path) -> None:
    """What a command prints is its answer, what it says beside is its log."""
    code = "import sys; print('answer'); print('said', file=sys.stderr)"
    run_watched([sys.executable, "-c", code], tmp_path / "answer", tmp_path / "log")
    assert (tmp_path / "answer").read_text().strip() == "answer"
    assert (tmp_path / "log").read_text().strip() == "said"
