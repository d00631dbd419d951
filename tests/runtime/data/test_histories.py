"""Ragged histories against plain lists."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine_runtime.data.histories import Histories, histories_from
from engine_runtime.errors import InputError

if TYPE_CHECKING:
    pass

LISTS = st.lists(st.lists(st.integers(0, 9), max_size=6), max_size=6)


def lists(histories: Histories) -> list[list[int]]:
    """Items as lists, one a user."""
    return [part.tolist() for part in np.split(histories.items, histories.offsets[1:-1])] if len(histories) else []


@given(LISTS, st.integers(0, 4))
def test_histories_are_lists(items: list[list[int]], n: int) -> None:
    """Lengths, cuts and last items are those of the lists that histories were built from."""
    histories = histories_from(items)
    assert len(histories) == len(items)
    assert histories.lengths.tolist() == [len(one) for one in items]
    assert lists(histories) == items
    assert lists(histories.without_last(n)) == [one[: max(len(one) - n, 0)] for one in items]
    assert lists(histories.newest(n)) == [one[max(len(one) - n, 0) :] for one in items]
    assert histories.last_items().tolist() == [one[-1] if one else -1 for one in items]
    assert histories.last_types().tolist() == [0 if one else -1 for one in items]


@given(LISTS, st.data())
def test_slice_and_take(items: list[list[int]], data: st.DataObject) -> None:
    """A slice and a choice of users are those of the lists."""
    histories = histories_from(items)
    start, stop = data.draw(st.integers(0, 7)), data.draw(st.integers(0, 7))
    assert lists(histories.slice(start, stop)) == items[start:stop]
    rows = data.draw(st.lists(st.integers(0, len(items) - 1), max_size=5)) if items else []
    assert lists(histories.take(rows)) == [items[row] for row in rows]
    assert histories.take(rows).users.tolist() == rows


def test_unordered_events_stay_out_of_cuts() -> None:
    """An event without a place is never dropped as the last one."""
    base = histories_from([[7, 8], [9]], times=[[50, 60], [70]])
    histories = Histories(**{**vars(base), "ordered": np.array([False, True, False])})
    assert lists(histories.without_last(2)) == [[7], [9]]
    assert histories.last_items().tolist() == [8, -1]


@pytest.mark.parametrize("name", ["types", "values", "times"])
def test_lists_of_other_lengths_are_refused(name: str) -> None:
    """Lists that do not fit the items are the caller's mistake."""
    with pytest.raises(InputError, match=name):
        histories_from([[1], [2]], **{name: [[1, 2], []]})  # type: ignore[arg-type]
    with pytest.raises(InputError, match="users"):
        histories_from([[1]], users=[1, 2])
