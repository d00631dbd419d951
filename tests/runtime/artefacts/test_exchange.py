"""Two names changed for each other."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from engine_runtime.artefacts.exchange import exchange


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux exchanges names")
def test_folders_change_places(tmp_path: Path) -> None:
    """What was at one name is at the other, a folder that is not empty too."""
    for name in ("left", "right"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").write_text(name)
    if not exchange(tmp_path / "left", tmp_path / "right"):
        pytest.skip("this file system can not exchange names")
    assert (tmp_path / "left" / "file").read_text() == "right"
    assert (tmp_path / "right" / "file").read_text() == "left"


def test_what_is_not_there_is_not_exchanged(tmp_path: Path) -> None:
    """Where one is missing nothing happens."""
    (tmp_path / "left").mkdir()
    assert not exchange(tmp_path / "left", tmp_path / "right")
    assert (tmp_path / "left").is_dir()


def test_other_systems_say_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the system is another one, nothing is tried."""
    monkeypatch.setattr(sys, "platform", "other")
    assert not exchange(tmp_path, tmp_path)
