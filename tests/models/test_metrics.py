"""Ranking metrics against figures worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from engine_models.metrics import DEPTH, NAMES, Estimate, estimate, per_user, places


def test_places_of_targets() -> None:
    """A target's place counts from 0; one that is not in the list, or below its depth, is at `DEPTH`."""
    lists = np.array([[4, 7, -1], [4, 7, -1], [1, 2, 3]], np.int32)
    assert places(lists, np.array([4, 7, 9], np.int32)).tolist() == [0, 1, DEPTH]
    deep = np.arange(DEPTH + 20, dtype=np.int32)[None]
    assert places(deep, np.array([DEPTH - 1], np.int32)).tolist() == [DEPTH - 1]
    assert places(deep, np.array([DEPTH], np.int32)).tolist() == [DEPTH]


@pytest.mark.parametrize(
    ("place", "expected"),
    [
        (0, (1, 1, 1, 1, 1, 1, 1)),
        (2, (1, 1, 1, 0.5, 0.5, 0.5, 1 / 3)),
        (6, (0, 1, 1, 0, 1 / 3, 1 / 3, 1 / 7)),
        (9, (0, 1, 1, 0, 1 / np.log2(11), 1 / np.log2(11), 0.1)),
        (10, (0, 0, 1, 0, 0, 1 / np.log2(12), 1 / 11)),
        (99, (0, 0, 0, 0, 0, 0, 0.01)),
        (DEPTH, (0, 0, 0, 0, 0, 0, 0)),
        (4321, (0, 0, 0, 0, 0, 0, 0)),
    ],
)
def test_metrics_by_hand(place: int, expected: tuple[float, ...]) -> None:
    """Recall, NDCG and MRR of one target are those worked out by hand."""
    values = per_user(np.array([place]))
    assert tuple(values) == NAMES
    assert [float(value[0]) for value in values.values()] == pytest.approx(expected)


def test_intervals_cover_a_known_mean() -> None:
    """About 95 of 100 intervals hold the mean that the users were drawn with."""
    generator = np.random.default_rng(5)
    found = [estimate((generator.random(150) < 0.3).astype(float), seed, 400) for seed in range(100)]
    assert 88 <= sum(one.low <= 0.3 <= one.high for one in found) <= 100
    assert np.mean([one.high - one.low for one in found]) == pytest.approx(4 * np.sqrt(0.3 * 0.7 / 150), rel=0.1)


def test_estimate_repeats() -> None:
    """The same values and seed give the same interval, around the mean."""
    values = np.random.default_rng(0).random(50)
    one = estimate(values, 3)
    assert one == estimate(values, 3) != estimate(values, 4)
    assert one.low < one.mean < one.high
    assert one.mean == values.mean()


def test_estimate_of_nobody() -> None:
    """No users give zeros, not NaN."""
    assert estimate(np.zeros(0)) == Estimate(0.0, 0.0, 0.0)
