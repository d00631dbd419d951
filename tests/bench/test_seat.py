"""One contender in a process of its own."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

import fake_nights
from engine_bench.seat import Contender, Seat


def seat(variant: str, folder: Path, told: list[str], python: str = sys.executable) -> Seat:
    """A seat with a fake contender."""
    return Seat("one", Contender(python, fake_nights.__file__, variant), folder, 1, told.append)


def test_a_contender_is_asked_turn_by_turn(tmp_path: Path) -> None:
    """Its settings are known when it is ready; a turn gives its times and leaves its arrays."""
    told: list[str] = []
    with seat("right", tmp_path, told) as one:
        assert one.settings == "fake, right"
        spent = one.turn()
        assert spent is not None
        assert len(spent[0]) == 1
        assert np.load(one.kept)["lists"].shape == (1, 10)
    assert told == ["one is ready"]
    assert one.failed is None


@pytest.mark.parametrize(
    ("variant", "python", "reason"),
    [("broken", sys.executable, "ValueError: no kernel"), ("right", "no-such-python", "cannot be started")],
)
def test_one_that_cannot_be_loaded_is_out(tmp_path: Path, variant: str, python: str, reason: str) -> None:
    """Its reason is kept and told, and it is asked no more."""
    told: list[str] = []
    with seat(variant, tmp_path, told, python) as one:
        assert one.failed is not None
        assert reason in one.failed
        assert one.turn() is None
    assert told == [f"one is left out: {one.failed}"]
