"""The median of rounds with its interval."""

import pytest

from engine_bench.suite.histogram import Interval
from engine_bench.suite.medians import median


def test_six_rounds_are_enclosed_by_their_ends() -> None:
    """Fewer have no interval."""
    assert median([3.0, 1.0, 2.0, 6.0, 5.0, 4.0]) == Interval(3.5, 1.0, 6.0)
    assert median([2.0, 1.0, 3.0, 5.0, 4.0]) == Interval(3.0)


def test_more_rounds_leave_ends_out() -> None:
    """Of nine the second from either end will do: 1 - 2 (1 + 9) / 512 is above 95 %."""
    assert median([float(each) for each in range(9)]) == Interval(4.0, 1.0, 7.0)


def test_many_rounds_have_a_narrow_interval() -> None:
    """Ends are about 1.96 times half the root of the number from the middle, of however many rounds."""
    found = median([float(each) for each in range(200_001)])
    assert found.low is not None
    assert found.low == pytest.approx(100_000 - 0.98 * 200_001**0.5, abs=2)


def test_nothing_has_no_median() -> None:
    """It is an error of whoever asks."""
    with pytest.raises(ValueError, match="no round"):
        median([])
