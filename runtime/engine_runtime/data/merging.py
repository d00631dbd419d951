"""Later events put among earlier ones, bucket by bucket: nothing is sorted but the users who have later ones.

Knows the columns of a bucket; knows nothing of files or of the database.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from engine_runtime.data import schema

if TYPE_CHECKING:
    from collections.abc import Sequence

Ints = npt.NDArray[Any]


def merge(earlier: pa.Table, later: pa.Table) -> pa.Table:
    """Put the later events of a bucket among the earlier ones.

    Parameters
    ----------
    earlier, later
        Of schema `PLACED`, sorted as that says; users and items are numbered alike.

    Returns
    -------
    pa.Table
        Of the same schema and sorted. Of equal events in a user's order the earlier ones come first.
    """
    if not later.num_rows:
        return earlier
    both = pa.concat_tables([earlier, later]).combine_chunks()
    users = _array(both, schema.USER)
    placed = _array(both, schema.POSITION) != schema.UNORDERED
    ordinals = _array(both, schema.ORDINAL, 0)
    size = int(users.max()) + 1
    touched = np.zeros(size, np.bool_)
    touched[users[earlier.num_rows :]] = True
    rows = np.flatnonzero(touched[users])
    rows = rows[np.lexsort((ordinals[rows], placed[rows], users[rows]))]  # stable: equal ones stay, the earlier first
    rest = np.flatnonzero(~touched[users])
    order = np.concatenate((rest, rows))
    order = order[np.argsort(users[order], kind="stable")]  # two sorted runs, which a stable sort finds
    merged = both.take(pa.array(order))
    return _set(merged, schema.POSITION, positions(users[order], placed[order]))


def renumber(events: pa.Table, users: npt.NDArray[np.int32], items: npt.NDArray[np.int32]) -> pa.Table:
    """Give events new numbers of users and items: `users` and `items` are indexed by the numbers of before."""
    for name, numbers in ((schema.USER, users), (schema.ITEM, items)):
        events = _set(events, name, numbers[_array(events, name)])
    return events


def without(events: pa.Table, lost: npt.NDArray[np.bool_]) -> pa.Table:
    """Take events out of a bucket: the places of a user's others close up.

    Parameters
    ----------
    events
        Of schema `PLACED`, sorted as that says.
    lost
        bool [events]: which.
    """
    kept = events.filter(pa.array(~lost)).combine_chunks()
    placed = _array(kept, schema.POSITION) != schema.UNORDERED
    return _set(kept, schema.POSITION, positions(_array(kept, schema.USER), placed))


def by_user(tables: Sequence[pa.Table]) -> pa.Table:
    """Put buckets together, of which no two have a user in common: schema `PLACED`, sorted as that says."""
    if len(tables) == 1:
        return tables[0]
    both = pa.concat_tables(tables).combine_chunks()
    return both.take(pa.array(np.argsort(_array(both, schema.USER), kind="stable"))).combine_chunks()


def _set(events: pa.Table, name: str, values: Ints) -> pa.Table:
    place = events.schema.get_field_index(name)
    return events.set_column(place, events.schema.field(name), pa.array(values))


def positions(users: Ints, placed: npt.NDArray[np.bool_]) -> npt.NDArray[np.int32]:
    """Place of each event among its user's ordered ones; rows are sorted by user, unordered events first."""
    ordered = np.cumsum(placed)
    begins = np.flatnonzero(np.concatenate(([True], users[1:] != users[:-1])))
    before = np.concatenate(([0], ordered))[begins]
    places = ordered - 1 - np.repeat(before, np.diff(np.append(begins, len(users))))
    return np.where(placed, places, schema.UNORDERED).astype(np.int32)


def _array(table: pa.Table, name: str, missing: int | None = None) -> Ints:
    column = table[name] if missing is None else table[name].fill_null(missing)
    array: Ints = column.combine_chunks().to_numpy(zero_copy_only=False)
    return array
