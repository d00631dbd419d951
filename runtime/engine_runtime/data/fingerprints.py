"""Fingerprints of users: 64 bits that say whether what a model reads of a user is what it was.

A fingerprint is over a user's events in their order (each with the item's own mark, and not its number, which moves as
items come) and over the user's attributes. Numbers of users and the day of the data set are no part of it. Two
different users' worth of events have the same fingerprint with a chance of 2^-64.

Knows arrays and the tables that ingest numbers; knows nothing of files.
"""

# ruff: noqa: S608 (statements are put together from this package's own names)
from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from collections.abc import Sequence

    import duckdb

    from engine_runtime.data.histories import Histories

Marks = npt.NDArray[np.uint64]


def item_marks(con: duckdb.DuckDBPyConnection) -> Marks:
    """Mark of each item of the table ``items``, over its id and its text: uint64 [items]."""
    return _marks(con, "SELECT md5_number_lower(item_id || chr(0) || text) AS mark FROM items ORDER BY item")


def user_marks(con: duckdb.DuckDBPyConnection, attributes: Sequence[str]) -> Marks:
    """Mark of each user of the table ``users``, over names and values of the attributes: uint64 [users]."""
    # no value holds chr(0), and none is empty: what is joined can be taken apart in one way only
    cells = " || ".join(f"coalesce(a{number}, '') || chr(0)" for number in range(len(attributes))) or "''"
    named = chr(10).join(attributes)
    query = f"SELECT md5_number_lower({cells} || $named) AS mark FROM users ORDER BY user"
    return _marks(con, query, {"named": named})


def _marks(con: duckdb.DuckDBPyConnection, query: str, settings: dict[str, str] | None = None) -> Marks:
    marks = con.execute(query, settings).fetchnumpy()["mark"]
    return np.ascontiguousarray(marks, np.uint64)


def fingerprints(histories: Histories, items: Marks, users: Marks) -> Marks:
    """Fingerprint of each user.

    Parameters
    ----------
    histories
        Of U users.
    items
        uint64 [items], the mark of each item that they may name.
    users
        uint64 [U], the mark of each user.

    Returns
    -------
    uint64 [U]
    """
    places = np.arange(histories.n_events) - np.repeat(histories.offsets[:-1], histories.lengths)
    kinds = histories.types.astype(np.uint64) << np.uint64(1) | histories.ordered
    events = items[histories.items]
    for word in (
        places.astype(np.uint64) << np.uint64(8) ^ kinds,
        _bits(histories.values) << np.uint64(32) | _bits(histories.quantities),
        _bits(histories.prices),
        histories.times.view(np.uint64),
    ):
        events = _mixed(events ^ word)
    sums = np.concatenate((np.zeros(1, np.uint64), np.cumsum(events, dtype=np.uint64)))
    return _mixed(np.diff(sums[histories.offsets]) ^ users)


def _bits(numbers: npt.NDArray[np.float32]) -> Marks:
    return np.ascontiguousarray(numbers).view(np.uint32).astype(np.uint64)


def _mixed(words: Marks) -> Marks:
    """Each bit of the result hangs on every bit of a word: the last step of SplitMix64 (Steele and others, 2014)."""
    words = words + np.uint64(0x9E3779B97F4A7C15)
    words ^= words >> np.uint64(30)
    words *= np.uint64(0xBF58476D1CE4E5B9)
    words ^= words >> np.uint64(27)
    words *= np.uint64(0x94D049BB133111EB)
    words ^= words >> np.uint64(31)
    return words
