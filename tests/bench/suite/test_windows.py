"""Warm-up until what is measured has settled."""

from engine_bench.suite.windows import MOST_WINDOWS, warm_up


def test_three_windows_alike_end_it() -> None:
    """Windows before them do not count."""
    figures = iter([9.0, 5.0, 1.0, 1.05, 1.09, 1.0])
    found = warm_up(lambda: next(figures))
    assert found.windows == (9.0, 5.0, 1.0, 1.05, 1.09)
    assert found.stable
    assert not found.notes


def test_what_never_settles_is_told() -> None:
    """It ends after ten windows, with a note."""
    figures = iter([2.0**power for power in range(20)])
    found = warm_up(lambda: next(figures))
    assert len(found.windows) == MOST_WINDOWS
    assert "not stable after 10 windows" in found.notes[0]
