"""The groups of `engine bench`."""

from __future__ import annotations

import pytest

from engine_runtime.cli import run

GROUPS = ["", "peers", "peers encoder", "peers serve", "encoder", "index", "refiner", "report"]


@pytest.mark.parametrize("group", GROUPS)
def test_every_level_has_an_example(group: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The help of groups and commands shows how they are called."""
    assert run(["bench", *group.split(), "--help"]) == 0
    assert "Example:" in capsys.readouterr().out
