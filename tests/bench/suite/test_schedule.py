"""When requests come."""

import numpy as np
import pytest

from engine_bench.suite.schedule import bursts, poisson


def test_requests_come_at_the_rate_and_independently_of_each_other() -> None:
    """Gaps have the mean of the rate, and the spread that an exponential distribution has: its mean."""
    gaps = np.diff(poisson(50.0, 20_000, seed=3), prepend=0.0)
    assert gaps.min() >= 0
    assert gaps.mean() == pytest.approx(0.02, rel=0.03)
    assert gaps.std() == pytest.approx(0.02, rel=0.03)


def test_a_seed_is_one_pattern_at_every_rate() -> None:
    """Twice the rate is the same requests in half the time, and more requests go on where fewer end."""
    slow = poisson(10.0, 100, seed=5)
    np.testing.assert_allclose(poisson(20.0, 200, seed=5)[:100], slow / 2)
    assert not np.array_equal(poisson(10.0, 100, seed=6), slow)


@pytest.mark.parametrize("rate", [0.0, -1.0, float("nan")])
def test_a_rate_that_is_none_is_refused(rate: float) -> None:
    """Nothing would ever come."""
    with pytest.raises(ValueError, match="rate"):
        poisson(rate, 10, seed=0)


def test_a_burst_is_all_at_once() -> None:
    """Bursts follow each other by the same distance."""
    np.testing.assert_array_equal(bursts(3, 2, apart=1.5), [0, 0, 1.5, 1.5, 3, 3])
