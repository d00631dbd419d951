"""Windows of a stream: nothing is lost, nothing is read too early."""

from __future__ import annotations

from collections.abc import Iterator

from hypothesis import given
from hypothesis import strategies as st

from engine_runtime.inference.windows import ahead, distinct, windows

TEXTS = st.lists(st.text(max_size=5), max_size=60)
SIZE = st.integers(1, 9)


@given(texts=TEXTS, first=SIZE, most=SIZE, characters=SIZE)
def test_windows_hold_every_text_once_in_order(texts: list[str], first: int, most: int, characters: int) -> None:
    """Put together, windows are the stream; none is empty, and each is bounded in texts and characters."""
    cut = list(windows(texts, first, most, characters))
    assert [text for window in cut for text in window] == texts
    for window in cut:
        assert 1 <= len(window) <= max(first, most)
        assert sum(map(len, window[:-1])) < characters


def test_windows_grow() -> None:
    """The first is small, so that work begins soon; the greatest bounds the memory."""
    assert [len(window) for window in windows(["x"] * 100, 2, 20)] == [2, 8, 20, 20, 20, 20, 10]


@given(texts=TEXTS)
def test_distinct_texts_and_where_each_stands(texts: list[str]) -> None:
    """Each text is there once, and the rows lead from the texts as given to it."""
    once, rows = distinct(texts)
    assert once == list(dict.fromkeys(texts))
    assert [once[row] for row in rows] == texts


@given(items=st.lists(st.integers(), max_size=9), steps=st.integers(0, 4))
def test_items_are_asked_for_ahead(items: list[int], steps: int) -> None:
    """The order stays, and when an item is handed on, so many more have been asked for."""
    asked: list[int] = []

    def source() -> Iterator[int]:
        for item in items:
            asked.append(item)
            yield item

    for place, item in enumerate(ahead(source(), steps)):
        assert item == items[place]
        assert len(asked) == min(place + 1 + steps, len(items))
