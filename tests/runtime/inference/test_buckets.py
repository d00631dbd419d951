"""Length buckets, against plain Python."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine_runtime.inference.buckets import STEP, Buckets

LENGTHS = st.lists(st.integers(0, 130), max_size=300)
BUDGETS = st.integers(1, 3000)


def test_widths_are_four_an_octave() -> None:
    """Widths are multiples of eight, close where texts are short, and end with the longest text's."""
    widths = Buckets(200, 1).widths.tolist()
    assert widths == [8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 200]
    assert Buckets(5, 1).widths.tolist() == [5]


@given(st.integers(1, 5000))
def test_no_width_is_much_too_wide(longest: int) -> None:
    """From 32 tokens on a text is padded by less than a quarter of its length; there are few widths."""
    widths = Buckets(longest, 1).widths.tolist()
    assert all(after - before <= max(STEP, before // 4) for before, after in pairwise(widths))
    assert len(widths) <= 8 + 4 * max(0, longest.bit_length() - 5)


def shaped(lengths: list[int], buckets: Buckets) -> list[tuple[list[int], int, int]]:
    """Texts, height and width of each batch."""
    cut = [batch.tolist() for batch in buckets.cut(lengths)]
    return [(rows, *buckets.shape(len(rows), max(lengths[row] for row in rows))) for rows in cut]


@given(LENGTHS, BUDGETS)
def test_every_text_is_in_one_batch_that_holds_it(lengths: list[int], budget: int) -> None:
    """Batches together are all texts, each once, and none is cut."""
    batches = shaped(lengths, Buckets(130, budget))
    assert sorted(row for rows, _, _ in batches for row in rows) == list(range(len(lengths)))
    for rows, height, width in batches:
        assert max(lengths[row] for row in rows) <= width
        assert 0 < len(rows) <= height


@given(LENGTHS, BUDGETS)
def test_the_budget_is_kept(lengths: list[int], budget: int) -> None:
    """The padded batch keeps the budget, unless it is one wide text."""
    batches = shaped(lengths, Buckets(130, budget))
    assert all(height * width <= budget or height == 1 for _, height, width in batches)


@given(LENGTHS, BUDGETS)
def test_shapes_are_few(lengths: list[int], budget: int) -> None:
    """A width has one height of full batches, and at most one batch of it is lower: by a power of two."""
    batches = shaped(lengths, Buckets(130, budget))
    for width in {width for _, _, width in batches}:
        heights = [height for _, height, found in batches if found == width]
        full = max(1, budget // width)
        assert heights[:-1] == [full] * (len(heights) - 1)
        assert heights[-1] == full or heights[-1].bit_count() == 1


def test_texts_keep_their_order() -> None:
    """Narrow batches come first, and texts of a width in the order given."""
    assert shaped([9, 30, 10, 3, 11], Buckets(64, 32)) == [([3], 1, 8), ([0, 2], 2, 16), ([4], 1, 16), ([1], 1, 32)]


def test_batches_of_others_have_a_shape() -> None:
    """A batch that was cut otherwise is held too, even past the budget."""
    buckets = Buckets(64, 32)
    assert buckets.shape(5, 20) == (5, 24)
    assert buckets.shape(1, 0) == (1, 8)


@pytest.mark.parametrize("lengths", [[], np.zeros(0, np.int64)])
def test_no_texts_are_no_batches(lengths: list[int]) -> None:
    """Nothing gives nothing."""
    assert Buckets(64, 100).cut(lengths) == []
