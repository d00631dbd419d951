"""The process of a contender."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from engine_bench import turns

NOISY = """
import numpy as np

def load(folder, variant):
    print("noise")
    return f"{folder} {variant}", lambda: {"query": np.arange(3)}
"""


def test_it_answers_each_line_and_keeps_what_is_wanted(tmp_path: Path) -> None:
    """Settings come first, then what each turn took; what a library prints is no answer."""
    file, kept = tmp_path / "noisy.py", tmp_path / "kept.npz"
    file.write_text(NOISY)
    command = [sys.executable, str(Path(turns.__file__)), str(file), "folder", "variant"]
    done = subprocess.run(command, input=f"\n{kept}\n", capture_output=True, text=True, check=True)
    settings, first, second = map(json.loads, done.stdout.splitlines())
    assert settings == {"settings": "folder variant"}
    assert set(first) == set(second) == {"wall", "cpu"}
    assert np.load(kept)["query"].tolist() == [0, 1, 2]
    assert "noise" in done.stderr


def test_a_file_that_is_not_python_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The message names it."""
    monkeypatch.setattr("os.dup2", lambda *_: None)
    with pytest.raises(ImportError, match=r"notes\.txt is no Python file"):
        turns.main(str(tmp_path / "notes.txt"), "", "")
