"""Lists of shares against dictionaries."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine_runtime.profile.shares import list_of_shares, share_type

NAMES = ["a", "b", "c", "d"]
AMOUNTS = st.lists(
    st.tuples(st.integers(0, 5), st.integers(0, 3), st.floats(0, 100).map(lambda amount: round(amount, 3))), max_size=30
)


@given(AMOUNTS, st.none() | st.integers(1, 5))
def test_shares_are_of_the_whole_and_largest_first(amounts: list[tuple[int, int, float]], top: int | None) -> None:
    """Shares of a user sum to 1 unless some are left out; those shown are the largest, nothing is shown twice."""
    rows, groups = (np.array([entry[place] for entry in amounts], np.int64) for place in (0, 1))
    made = list_of_shares(rows, groups, np.array([entry[2] for entry in amounts]), 7, NAMES, field="kind", top=top)
    assert made.type == share_type("kind")
    assert len(made) == 7
    sums: dict[int, dict[str, float]] = defaultdict(lambda: defaultdict(float))
    for row, group, amount in amounts:
        sums[row][NAMES[group]] += amount
    for user, shares in enumerate(made.to_pylist()):
        own = {name: amount for name, amount in sums[user].items() if amount > 0}
        assert len(shares) == min(len(own), top or 4)
        found = [share["share"] for share in shares]
        assert found == sorted(found, reverse=True)
        assert {share["kind"]: share["share"] for share in shares} == pytest.approx(
            {share["kind"]: own[share["kind"]] / sum(own.values()) for share in shares}, rel=1e-5
        )
        if len(shares) == len(own) and own:
            assert sum(found) == pytest.approx(1, abs=1e-5)
        if shares:
            assert found[0] == pytest.approx(max(own.values()) / sum(own.values()), rel=1e-5)


def test_equal_shares_come_in_the_order_of_names() -> None:
    """Ties say nothing of the order of events."""
    made = list_of_shares(np.zeros(3, np.int64), np.array([2, 0, 1]), np.ones(3), 1, NAMES)
    assert [share["type"] for share in made.to_pylist()[0]] == ["a", "b", "c"]


def test_nothing_to_share() -> None:
    """Without amounts, names or users there are empty lists."""
    none = np.zeros(0, np.int64)
    assert list_of_shares(none, none, np.zeros(0), 3, NAMES).to_pylist() == [[], [], []]
    assert list_of_shares(none, none, np.zeros(0), 2, []).to_pylist() == [[], []]
    assert list_of_shares(none, none, np.zeros(0), 0, NAMES).to_pylist() == []
