"""Users' histories as ragged arrays, of a table of events or built in memory.

Everything is vectorised over users. Knows the columns of a bucket; knows nothing of files, models or of how a data set
is made.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from engine_runtime.data import schema
from engine_runtime.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

Ints = npt.NDArray[np.int64]
PER_EVENT = ("items", "types", "values", "quantities", "prices", "times", "ordered")


@dataclass(frozen=True)
class Histories:
    """Histories of some users: user u's events are rows ``offsets[u] .. offsets[u + 1] - 1``, oldest first.

    Events whose place is not known come before a user's others and have ``ordered`` False.

    Attributes
    ----------
    users
        int32 [U], user numbers.
    offsets
        int64 [U + 1]; a user without events has two equal ones.
    items
        int32 [N], item numbers.
    types
        int8 [N], indices into the event types.
    values, quantities, prices
        float32 [N], as given; NaN where absent.
    times
        int64 [N], seconds since 1970 in UTC, or `schema.NO_TIME`.
    ordered
        bool [N], whether the place in the history is known.
    """

    users: npt.NDArray[np.int32]
    offsets: Ints
    items: npt.NDArray[np.int32]
    types: npt.NDArray[np.int8]
    values: npt.NDArray[np.float32]
    quantities: npt.NDArray[np.float32]
    prices: npt.NDArray[np.float32]
    times: Ints
    ordered: npt.NDArray[np.bool_]

    def __len__(self) -> int:
        """Return the number of users."""
        return len(self.users)

    @property
    def n_events(self) -> int:
        """Events of all users together."""
        return len(self.items)

    @property
    def lengths(self) -> Ints:
        """Events of each user: int64 [U]."""
        return np.diff(self.offsets)

    @property
    def n_ordered(self) -> Ints:
        """Ordered events of each user: int64 [U]."""
        return sums(self.ordered, self.offsets)

    @property
    def rows(self) -> Ints:
        """Row of the user of each event, an index into `users`: int64 [N]."""
        return np.repeat(np.arange(len(self)), self.lengths)

    def slice(self, start: int, stop: int) -> Histories:
        """Users in rows `start` to `stop` - 1, as views."""
        start, stop, _ = slice(start, stop).indices(len(self))
        stop = max(start, stop)
        first, last = self.offsets[start], self.offsets[stop]
        cut = {name: getattr(self, name)[first:last] for name in PER_EVENT}
        return Histories(self.users[start:stop], self.offsets[start : stop + 1] - first, **cut)

    def take(self, rows: npt.ArrayLike) -> Histories:
        """Users in the given rows (indices into `users`, not user numbers), in that order."""
        chosen = np.asarray(rows, np.int64)
        offsets, events = taken(self.offsets, chosen)
        return Histories(self.users[chosen], offsets, **{name: getattr(self, name)[events] for name in PER_EVENT})

    def where(self, mask: npt.NDArray[np.bool_]) -> Histories:
        """Return the same users with only the events of `mask`, bool [N]."""
        kept = {name: getattr(self, name)[mask] for name in PER_EVENT}
        return Histories(self.users, offsets_of(sums(mask, self.offsets)), **kept)

    def without_last(self, n: int) -> Histories:
        """Return the same users without the last `n` ordered events of each."""
        ends = self.offsets[1:] - np.minimum(n, self.n_ordered)
        return self.where(np.arange(self.n_events) < np.repeat(ends, self.lengths))

    def newest(self, n: int) -> Histories:
        """Return the same users with at most their last `n` events each."""
        starts = np.maximum(self.offsets[1:] - n, self.offsets[:-1])
        return self.where(np.arange(self.n_events) >= np.repeat(starts, self.lengths))

    def last_items(self) -> npt.NDArray[np.int32]:
        """Item of each user's last ordered event: int32 [U], -1 where there is none."""
        return np.where(self.n_ordered > 0, self._last(self.items), np.int32(-1)).astype(np.int32)

    def last_types(self) -> npt.NDArray[np.int8]:
        """Type of each user's last ordered event: int8 [U], -1 where there is none."""
        return np.where(self.n_ordered > 0, self._last(self.types), np.int8(-1)).astype(np.int8)

    def _last(self, column: npt.NDArray[Any]) -> npt.NDArray[Any]:
        padded = np.append(column, column.dtype.type(-1))  # index -1 is there even where no event is
        return padded[np.maximum(self.offsets[1:] - 1, -1)]


def histories_from(
    items: Sequence[Sequence[int]],
    *,
    types: Sequence[Sequence[int]] | None = None,
    values: Sequence[Sequence[float]] | None = None,
    quantities: Sequence[Sequence[float]] | None = None,
    prices: Sequence[Sequence[float]] | None = None,
    times: Sequence[Sequence[int]] | None = None,
    users: Sequence[int] | None = None,
) -> Histories:
    """Build histories from lists, one list a user, oldest event first.

    Parameters
    ----------
    items
        Item numbers; an empty list is a user without events.
    types
        Event types; all 0 if not given.
    values, quantities, prices
        NaN where absent, or not given at all.
    times
        Seconds since 1970 in UTC, or `schema.NO_TIME`; not given, no time is known.
    users
        User numbers; 0, 1, 2, ... if not given.

    Raises
    ------
    InputError
        The lists differ in length.
    """
    lengths = np.fromiter(map(len, items), np.int64, len(items))
    total = int(lengths.sum())
    if users is not None and len(users) != len(items):
        raise InputError(f"{len(items)} histories were given, but {len(users)} users. Give one user for each.")

    def flat(name: str, lists: Sequence[Sequence[float]] | None, kind: Any, default: float) -> npt.NDArray[Any]:
        if lists is None:
            return np.full(total, default, kind)
        if not np.array_equal(np.fromiter(map(len, lists), np.int64, len(lists)), lengths):
            raise InputError(f"'{name}' and 'items' differ in length. Give one of them for each event.")
        return np.fromiter(chain.from_iterable(lists), kind, total)

    return Histories(
        users=np.arange(len(items), dtype=np.int32) if users is None else np.asarray(users, np.int32),
        offsets=offsets_of(lengths),
        items=flat("items", items, np.int32, 0),
        types=flat("types", types, np.int8, 0),
        values=flat("values", values, np.float32, np.nan),
        quantities=flat("quantities", quantities, np.float32, np.nan),
        prices=flat("prices", prices, np.float32, np.nan),
        times=flat("times", times, np.int64, schema.NO_TIME),
        ordered=np.ones(total, np.bool_),
    )


def joined(parts: Sequence[Histories]) -> Histories:
    """Histories of one group of users after another, at least one."""
    columns = {
        field.name: np.concatenate([getattr(part, field.name) for part in parts])
        for field in fields(Histories)
        if field.name != "offsets"
    }
    return Histories(offsets=offsets_of(np.concatenate([part.lengths for part in parts])), **columns)


def from_table(table: pa.Table, first: int, stop: int) -> Histories:
    """Histories of the users `first` to `stop` - 1 from a table of schema `EVENTS`, sorted as that says."""
    counts = np.bincount(_array(table, schema.USER).astype(np.int64) - first, minlength=stop - first)
    return Histories(
        users=np.arange(first, stop, dtype=np.int32),
        offsets=offsets_of(counts),
        items=_array(table, schema.ITEM),
        types=_array(table, schema.TYPE),
        values=_array(table, schema.VALUE),
        quantities=_array(table, schema.QUANTITY),
        prices=_array(table, schema.PRICE),
        times=_array(table, schema.TIME),
        ordered=_array(table, schema.POSITION) != schema.UNORDERED,
    )


def _array(table: pa.Table, name: str) -> npt.NDArray[Any]:
    column = table[name].combine_chunks()
    array: npt.NDArray[Any] = column.to_numpy(zero_copy_only=False)  # nulls of a float column become NaN
    return array


def offsets_of(lengths: npt.NDArray[Any]) -> Ints:
    """Where users of so many events begin, and the last one ends: int64 [users + 1]."""
    return np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths, dtype=np.int64)])


def taken(offsets: Ints, rows: Ints) -> tuple[Ints, Ints]:
    """Offsets of some users alone, and their events one user after another."""
    lengths = offsets[rows + 1] - offsets[rows]
    own = offsets_of(lengths)
    return own, np.arange(own[-1]) + np.repeat(offsets[rows] - own[:-1], lengths)


def sums(mask: npt.NDArray[np.bool_], offsets: Ints) -> Ints:
    """Count the true elements between each two offsets."""
    return np.diff(offsets_of(mask)[offsets])
