"""A stream of texts, a window at a time: memory is bounded by the window, not by the number of texts.

Pure; knows strings, row numbers and iterators alone.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")

# The first window is small, so that vectors are under way while the next ones are tokenized.
FIRST = 1024
GROWTH = 4
WINDOW = 16384

# Characters of one window: long documents make for fewer texts in it.
CHARACTERS = 1 << 24


def windows(
    texts: Iterable[str], first: int = FIRST, most: int = WINDOW, characters: int = CHARACTERS
) -> Iterator[list[str]]:
    """Cut a stream into windows of growing size, none of them empty.

    Parameters
    ----------
    texts
        Read once, and no further than the window asked for.
    first, most
        Texts in the first window, and in the greatest.
    characters
        A window ends with the text that reaches this sum of lengths.
    """
    size, held, length = first, list[str](), 0
    for text in texts:
        held.append(text)
        length += len(text)
        if len(held) >= size or length >= characters:
            yield held
            size, held, length = min(size * GROWTH, most), [], 0
    if held:
        yield held


def distinct(texts: Iterable[str]) -> tuple[list[str], list[int]]:
    """Each text once, in the order of first sight, and for each of `texts` its row among them."""
    rows: dict[str, int] = {}
    numbers = [rows.setdefault(text, len(rows)) for text in texts]
    return list(rows), numbers


def ahead(items: Iterable[T], steps: int = 1) -> Iterator[T]:
    """The same items, each asked of `items` so many steps before it is handed on."""
    held: deque[T] = deque()
    for item in items:
        held.append(item)
        if len(held) > steps:
            yield held.popleft()
    yield from held
