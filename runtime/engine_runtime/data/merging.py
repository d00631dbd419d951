"""Later events put among earlier ones, bucket by bucket: nothing is sorted but the users who have later ones.

Knows the columns of a bucket; knows nothing of files or of the database.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from engine_runtime.data import schema

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
    positions = pa.array(_positions(users[order], placed[order]))
    return merged.set_column(
        merged.schema.get_field_index(schema.POSITION), merged.schema.field(schema.POSITION), positions
    )


def renumber(events: pa.Table, users: npt.NDArray[np.int32], items: npt.NDArray[np.int32]) -> pa.Table:
    """Give events new numbers of users and items: `users` and `items` are indexed by the numbers of before."""
    for name, numbers in ((schema.USER, users), (schema.ITEM, items)):
        column = pa.array(numbers[_array(events, name)])
        events = events.set_column(events.schema.get_field_index(name), events.schema.field(name), column)
    return events


def _positions(users: Ints, placed: npt.NDArray[np.bool_]) -> npt.NDArray[np.int32]:
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
