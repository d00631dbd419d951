"""Medians and ratios within rounds."""

from __future__ import annotations

import pytest

from engine_bench.statistics import Spread, percentile, ratios, spread


def test_a_spread_is_the_middle_and_the_ends() -> None:
    """Of an even number of values the middle is between two."""
    assert spread([3, 1, 2]) == Spread(2, 1, 3)
    assert spread([4, 1, 2, 3]) == Spread(2.5, 1, 4)


def test_nothing_has_no_spread() -> None:
    """No measurement is an error, not a zero."""
    with pytest.raises(ValueError, match="nothing to summarise"):
        spread([])


def test_ratios_are_taken_within_rounds() -> None:
    """A drift that slows both does not show, where the ratio of the medians would be off."""
    assert ratios([2.0, 4.0, 12.0], [1.0, 2.0, 4.0]) == Spread(2.0, 2.0, 3.0)


def test_ratios_need_the_same_rounds() -> None:
    """A thing measured in fewer rounds cannot be compared."""
    with pytest.raises(ValueError, match="shorter"):
        ratios([1.0, 2.0], [1.0])


def test_a_percentile_is_interpolated() -> None:
    """Half of the way is the median."""
    assert percentile([0, 1, 2, 3], 50) == 1.5
    assert percentile([0, 1], 99) == pytest.approx(0.99)
