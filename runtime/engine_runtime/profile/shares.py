"""Lists of names with their shares, one list a user: the form that several facets take. Pure."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa


def share_type(name: str) -> pa.DataType:
    """list<struct<`name`: string, share: float>>."""
    return pa.list_(pa.struct([pa.field(name, pa.string()), pa.field("share", pa.float32())]))


def list_of_shares(
    rows: npt.NDArray[np.int64],
    groups: npt.NDArray[np.int64],
    amounts: npt.NDArray[np.floating],
    n_users: int,
    names: Sequence[str],
    *,
    field: str = "type",
    top: int | None = None,
) -> pa.ListArray:
    """Share of each group in each user's total amount, largest first.

    Parameters
    ----------
    rows
        int64 [n]: user of each amount.
    groups
        int64 [n]: index into `names`.
    amounts
        float [n], not negative.
    n_users
        Lists in the result; a user without amounts has an empty one.
    names
        Of the groups.
    field
        Name of the name's field.
    top
        Most groups of a list; the shares are of the whole all the same.
    """
    n_groups = max(len(names), 1)
    keys, position = np.unique(rows * n_groups + groups, return_inverse=True)
    sums = np.bincount(position, amounts, len(keys))
    owners = keys // n_groups
    totals = np.bincount(owners, sums, n_users)
    order = np.lexsort((keys, -sums, owners))
    place = np.arange(len(keys)) - np.searchsorted(owners[order], owners[order])
    kept = order[(place < (top or n_groups)) & (sums[order] > 0)]
    shares = (sums[kept] / np.maximum(totals[owners[kept]], 1e-30)).astype(np.float32)
    offsets = np.concatenate(([0], np.cumsum(np.bincount(owners[kept], minlength=n_users)))).astype(np.int32)
    chosen = pa.array(names, pa.string()).take(pa.array(keys[kept] % n_groups))
    fields = list(share_type(field).value_type)
    return pa.ListArray.from_arrays(offsets, pa.StructArray.from_arrays([chosen, pa.array(shares)], fields=fields))
