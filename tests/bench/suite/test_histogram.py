"""Durations in logarithmic buckets."""

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine_bench.suite.histogram import Histogram

DURATIONS = st.lists(st.floats(1e-6, 1e3), min_size=1, max_size=200)


@given(DURATIONS)
def test_the_median_is_within_half_a_per_cent(seconds: list[float]) -> None:
    """The median of a histogram is that of the durations, less what a bucket rounds away."""
    exact = float(np.sort(seconds)[int(np.ceil(len(seconds) / 2)) - 1])
    assert Histogram.of(seconds).quantile(0.5).value == pytest.approx(exact, rel=0.0051)


@given(DURATIONS, DURATIONS)
def test_two_histograms_add_up_to_that_of_both(one: list[float], other: list[float]) -> None:
    """Adding histograms is counting all durations in one."""
    added, counted = Histogram.of(one) + Histogram.of(other), Histogram.of(one + other)
    assert added.counts == counted.counts
    assert added.most == counted.most
    assert added.mean == pytest.approx(counted.mean)


@given(DURATIONS)
def test_a_histogram_survives_json(seconds: list[float]) -> None:
    """What is written as JSON is read back equal."""
    histogram = Histogram.of(seconds)
    assert msgspec.json.decode(msgspec.json.encode(histogram), type=Histogram) == histogram


def test_a_quantile_needs_ten_durations_beyond_it() -> None:
    """The 99th percentile is told from a thousand durations on, and refused of fewer."""
    assert Histogram.of(np.ones(1000)).supports(0.99)
    few = Histogram.of(np.ones(999))
    assert not few.supports(0.99)
    with pytest.raises(ValueError, match=r"999 durations do not tell the quantile 0\.99"):
        few.quantile(0.99)


def test_intervals_hold_the_true_quantile_as_often_as_they_say() -> None:
    """Of 400 samples of one distribution about 95 in 100 intervals enclose its 90th percentile."""
    random = np.random.default_rng(3)
    true = float(np.exp(1.2815515655))
    found = [Histogram.of(random.lognormal(size=300)).quantile(0.9) for _ in range(400)]
    held = np.mean([entry.low is not None and entry.low <= true <= (entry.high or 0) for entry in found])
    assert 0.91 <= held <= 0.99


@pytest.mark.parametrize("wrong", [-1e-3, float("nan"), float("inf")])
def test_a_duration_that_no_clock_gives_is_refused(wrong: float) -> None:
    """Negative and missing durations are an error, not a bucket."""
    with pytest.raises(ValueError, match="negative or not finite"):
        Histogram.of([0.1, wrong])


def test_nothing_counted_has_no_mean() -> None:
    """An empty histogram says so."""
    with pytest.raises(ValueError, match="no duration"):
        _ = Histogram.of([]).mean
