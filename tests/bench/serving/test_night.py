"""What contenders are given, and their nights."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from engine_bench.serving.night import Given, timed


def test_what_is_given_is_found_again(tmp_path: Path) -> None:
    """Writer and reader agree."""
    given = Given("bundle", "dataset", "weights", None, 10, 5, 2)
    given.write(tmp_path)
    assert Given.read(str(tmp_path)) == given


def test_both_halves_are_timed_apart() -> None:
    """What one half makes the next one gets, and lists are read after the time."""
    done: list[str] = []

    def items() -> str:
        sum(range(1_000_000))
        done.append("items")
        return "shelf"

    def users(shelf: str) -> str:
        done.append(shelf)
        return "served"

    found = timed(items, users, lambda served: np.full((1, 10), len(served), np.int32))
    assert done == ["items", "shelf"]
    assert found["items"].shape == found["users"].shape == (2,)
    assert (found["items"] > 0).all()
    assert found["peak"] >= 0
    assert found["lists"].tolist() == [[6] * 10]
