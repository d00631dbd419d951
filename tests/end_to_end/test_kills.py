"""Runs that are killed and resumed, a few times; ``make kills`` does it 200 times."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="runs are forked from one process, which this system cannot do")
def test_killed_runs_end_with_the_same_bytes() -> None:
    """No user is lost or doubled, no byte is another, and nothing is left, wherever a run is killed."""
    paths = os.pathsep.join([str(TESTS), *filter(None, [os.environ.get("PYTHONPATH")])])
    command = [sys.executable, "-m", "end_to_end.kills", "--count=6", "--seed=3"]
    done = subprocess.run(
        command, check=False, capture_output=True, encoding="utf-8", env=os.environ | {"PYTHONPATH": paths}, timeout=600
    )
    assert done.returncode == 0, done.stderr
    assert "6 kills" in done.stdout
