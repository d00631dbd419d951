"""A series as a picture of characters."""

from __future__ import annotations

from engine_bench.suite.drawing import HEIGHT, LEVEL, POINT, draw


def test_greater_values_are_higher() -> None:
    """The ends are labelled, a run has its column, and levels show where no run hides them."""
    lines = draw([1.0, 3.0, 3.0], [1.0, 3.0, 1.0])
    assert len(lines) == HEIGHT
    assert lines[0] == f"3 │  {POINT}{POINT}"
    assert lines[-1] == f"1 │ {POINT} {LEVEL}"


def test_a_series_that_does_not_move_is_a_line() -> None:
    """Though it has no height."""
    assert draw([2.0, 2.0], [2.0, 2.0])[0].endswith(POINT * 2)
