"""Length buckets, against plain Python."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine_runtime.inference.buckets import STEP, bucket_widths, cut_buckets

LENGTHS = st.lists(st.integers(0, 130), max_size=300)
BUDGETS = st.integers(1, 3000)


def test_widths_are_four_an_octave() -> None:
    """Widths are multiples of eight, close where texts are short, and end with the longest text's."""
    assert bucket_widths(200).tolist() == [8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 200]
    assert bucket_widths(5).tolist() == [5]


@given(st.integers(1, 5000))
def test_no_width_is_much_too_wide(longest: int) -> None:
    """From 32 tokens on a text is padded by less than a quarter of its length; there are few widths."""
    widths = bucket_widths(longest).tolist()
    assert all(after - before <= max(STEP, before // 4) for before, after in pairwise(widths))
    assert len(widths) <= 8 + 4 * max(0, longest.bit_length() - 5)


@given(LENGTHS, BUDGETS)
def test_every_row_is_in_one_batch_that_holds_it(lengths: list[int], budget: int) -> None:
    """Batches together are all rows, each once, and none is cut."""
    batches = list(cut_buckets(lengths, budget, 130))
    assert sorted(int(row) for batch in batches for row in batch.rows) == list(range(len(lengths)))
    for batch in batches:
        assert max(lengths[row] for row in batch.rows) <= batch.width
        assert 0 < len(batch.rows) <= batch.height


@given(LENGTHS, BUDGETS)
def test_the_budget_is_kept(lengths: list[int], budget: int) -> None:
    """The padded batch keeps the budget, unless it is one wide row."""
    assert all(batch.height * batch.width <= budget or batch.height == 1 for batch in cut_buckets(lengths, budget, 130))


@given(LENGTHS, BUDGETS)
def test_shapes_are_few(lengths: list[int], budget: int) -> None:
    """A width has one height of full batches, and at most one batch of it is lower: by a power of two."""
    batches = list(cut_buckets(lengths, budget, 130))
    for width in {batch.width for batch in batches}:
        heights = [batch.height for batch in batches if batch.width == width]
        full = max(1, budget // width)
        assert heights[:-1] == [full] * (len(heights) - 1)
        assert heights[-1] == full or heights[-1].bit_count() == 1


def test_rows_keep_their_order() -> None:
    """Narrow batches come first, and rows of a bucket in the order given."""
    batches = list(cut_buckets([9, 30, 10, 3, 11], 32, 64))
    assert [(batch.rows.tolist(), batch.height, batch.width) for batch in batches] == [
        ([3], 1, 8),
        ([0, 2], 2, 16),
        ([4], 1, 16),
        ([1], 1, 32),
    ]


@pytest.mark.parametrize("lengths", [[], np.zeros(0, np.int64)])
def test_no_rows_are_no_batches(lengths: list[int]) -> None:
    """Nothing gives nothing."""
    assert list(cut_buckets(lengths, 100, 64)) == []
