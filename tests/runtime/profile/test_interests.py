"""Interests: the strongest concepts by name."""

from __future__ import annotations

import numpy as np
import pytest

from engine_runtime.profile.interests import TYPE, interests

NAMES = ["tea", "cups", "lamps"]


def test_the_strongest_come_first_and_ties_in_order() -> None:
    """Concepts are named by falling weight; absent ones are left out."""
    found = interests(np.array([[0.25, 0.5, 0.25], [0.0, 0.0, 1.0]], np.float32), NAMES)
    assert found.type == TYPE
    assert found.to_pylist() == [
        [{"name": "cups", "weight": 0.5}, {"name": "tea", "weight": 0.25}, {"name": "lamps", "weight": 0.25}],
        [{"name": "lamps", "weight": 1.0}],
    ]


def test_few_are_shown_of_many() -> None:
    """No more than asked for, and their weights stay shares of the whole."""
    concepts = np.random.default_rng(0).dirichlet(np.ones(30), 4).astype(np.float32)
    found = interests(concepts, [str(number) for number in range(30)], top=5).to_pylist()
    for row, shares in zip(concepts, found, strict=True):
        order = np.argsort(-row)[:5]
        assert [share["name"] for share in shares] == [str(number) for number in order]
        assert [share["weight"] for share in shares] == pytest.approx(row[order].tolist())
    assert len(interests(concepts, [""] * 30).to_pylist()[0]) == 10


@pytest.mark.parametrize("users", [0, 2])
def test_no_events_no_interests(users: int) -> None:
    """A user without events, a row of zeros, has an empty list."""
    found = interests(np.zeros((users, 3), np.float32), NAMES)
    assert found.to_pylist() == [[]] * users
    assert found.type == TYPE
