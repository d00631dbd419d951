"""Where things are kept."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine_runtime.home import home


def test_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """An own variable goes before that of the desktop, and that before the folder of the user."""
    monkeypatch.delenv("PROFILE_ENGINE_HOME", raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    assert home() == Path.home() / ".cache" / "profile-engine"
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert home() == tmp_path / "profile-engine"
    monkeypatch.setenv("PROFILE_ENGINE_HOME", str(tmp_path / "own"))
    assert home() == tmp_path / "own"
