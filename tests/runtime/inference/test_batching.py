"""Batches by token budget, against plain Python."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from engine_runtime.inference.batching import cut_batches, cut_equal, pad_rows

LENGTHS = st.lists(st.integers(0, 60), max_size=80)
ROWS = st.lists(st.lists(st.integers(-100, 100), max_size=7), min_size=1, max_size=9)


@given(LENGTHS, st.integers(1, 200))
def test_every_row_is_in_one_batch(lengths: list[int], budget: int) -> None:
    """Batches together are all rows, each once, shortest first, equal ones in order."""
    batches = cut_batches(lengths, budget)
    found = [int(row) for batch in batches for row in batch]
    assert found == sorted(range(len(lengths)), key=lambda row: max(lengths[row], 1))
    assert all(len(batch) for batch in batches)


@given(LENGTHS, st.integers(1, 200))
def test_the_budget_is_kept_and_used(lengths: list[int], budget: int) -> None:
    """A batch keeps the budget unless it is one long row, and the next row would not have fitted into it."""
    batches = cut_batches(lengths, budget)
    sizes = [[max(lengths[row], 1) for row in batch] for batch in batches]
    assert all(len(batch) * max(batch) <= budget or len(batch) == 1 for batch in sizes)
    assert all((len(batch) + 1) * after[0] > budget for batch, after in pairwise(sizes))


@given(LENGTHS, st.integers(1, 200))
def test_batches_of_one_length_need_no_padding(lengths: list[int], budget: int) -> None:
    """Every row is in one batch, among rows of its own length, within the budget; batches of a length differ by one."""
    batches = cut_equal(lengths, budget)
    sizes = [{max(lengths[row], 1) for row in batch} for batch in batches]
    assert sorted(int(row) for batch in batches for row in batch) == list(range(len(lengths)))
    assert all(len(size) == 1 for size in sizes)
    assert all(len(batch) * max(size) <= budget or len(batch) == 1 for batch, size in zip(batches, sizes, strict=True))
    for length in {max(length, 1) for length in lengths}:
        counts = [len(batch) for batch, size in zip(batches, sizes, strict=True) if size == {length}]
        assert max(counts) - min(counts) <= 1


@given(ROWS, st.integers(1, 9), st.data())
def test_padding_is_that_of_lists(rows: list[list[int]], width: int, data: st.DataObject) -> None:
    """A row keeps its last values, on the left, and is filled on the right."""
    chosen = data.draw(st.lists(st.integers(0, len(rows) - 1), max_size=6))
    offsets = np.cumsum([0, *map(len, rows)])
    values = np.array([value for row in rows for value in row], np.int32)
    padded = pad_rows(values, offsets, np.array(chosen, np.int64), width, -7)
    naive = [(rows[row][-width:] + [-7] * width)[:width] for row in chosen]
    assert padded.tolist() == naive
    assert padded.shape == (len(chosen), width)
    assert padded.dtype == np.int32


def test_no_rows_no_batches() -> None:
    """Of nothing comes nothing."""
    assert cut_batches([], 10) == []


def test_similar_lengths_go_together() -> None:
    """Sorting by length leaves less padding than the order of input."""
    lengths = [1, 50] * 50
    padded = sum(len(batch) * max(lengths[row] for row in batch) for batch in cut_batches(lengths, 100))
    assert padded == sum(lengths)
