"""Counted successors against a double loop."""

from __future__ import annotations

from itertools import chain

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine_models.successors import TOP_POPULAR, TOP_SUCCESSORS, WINDOW, count_successors, successor_table
from engine_runtime.search.successors import SuccessorTable

N_ITEMS = 6
WALKS = st.lists(st.lists(st.integers(0, N_ITEMS - 1), max_size=8), min_size=1, max_size=6)


def ragged(
    walks: list[list[int]],
) -> tuple[np.ndarray[tuple[int], np.dtype[np.int32]], np.ndarray[tuple[int], np.dtype[np.int64]]]:
    """Items one user after another, and offsets."""
    offsets = np.concatenate(([0], np.cumsum([len(walk) for walk in walks]))).astype(np.int64)
    return np.array(list(chain.from_iterable(walks)), np.int32), offsets


def row_of(table: SuccessorTable, row: int) -> list[tuple[int, float]]:
    """Items and weights of one row."""
    _, items, weights = table.lookup(np.array([row]))
    return list(zip(items.tolist(), weights.tolist(), strict=True))


@given(WALKS, st.sampled_from((0.0, 0.1, 1.0)))
def test_counts_are_those_of_a_double_loop(walks: list[list[int]], damping: float) -> None:
    """Every later item of a history counts one over its distance, damped by its popularity."""
    expected = np.zeros((N_ITEMS, N_ITEMS))
    for walk in walks:
        for first, item in enumerate(walk):
            for later in range(first + 1, len(walk)):
                expected[item, walk[later]] += 1 / (later - first)
    popularity = np.array([sum(walk.count(item) for walk in walks) for item in range(N_ITEMS)])
    expected /= np.maximum(popularity, 1) ** damping
    assert np.allclose(count_successors(*ragged(walks), N_ITEMS, damping).toarray(), expected)


def test_pairs_far_apart_do_not_count() -> None:
    """An item counts as a successor at most `WINDOW` events later."""
    counts = count_successors(*ragged([list(range(WINDOW + 5))]), WINDOW + 5, damping=0)
    assert counts[0, WINDOW] == pytest.approx(1 / WINDOW)
    assert counts[0, WINDOW + 1] == 0


@given(WALKS)
def test_table_holds_each_row_strongest_first(walks: list[list[int]]) -> None:
    """A row of the table is the row of the counts, falling, equal weights by item; the start row is popularity."""
    items, offsets = ragged(walks)
    counts = count_successors(items, offsets, N_ITEMS)
    popularity = np.bincount(items, minlength=N_ITEMS)
    table = successor_table(counts, popularity)
    dense = counts.toarray()
    for row in range(N_ITEMS):
        expected = sorted((-dense[row, item], item) for item in range(N_ITEMS) if dense[row, item])
        assert [item for item, _ in row_of(table, row)] == [item for _, item in expected]
        assert np.allclose([weight for _, weight in row_of(table, row)], [-weight for weight, _ in expected])
    popular = sorted((-count, item) for item, count in enumerate(popularity.tolist()) if count)
    assert table.start_row == N_ITEMS
    assert row_of(table, N_ITEMS) == [(item, -count) for count, item in popular]


def test_table_is_cut() -> None:
    """Only the strongest successors and the most popular items are kept."""
    n_items = TOP_POPULAR + 20
    walks = [[0, item] for item in range(1, n_items)] * 2 + [[0, n_items - 1]]
    items, offsets = ragged(walks)
    table = successor_table(count_successors(items, offsets, n_items, damping=0), np.bincount(items))
    followers = row_of(table, 0)
    assert len(followers) == TOP_SUCCESSORS
    assert followers[0] == (n_items - 1, 3.0)
    assert [item for item, _ in followers[1:]] == list(range(1, TOP_SUCCESSORS))
    assert len(row_of(table, n_items)) == TOP_POPULAR
    assert row_of(table, 1) == []
