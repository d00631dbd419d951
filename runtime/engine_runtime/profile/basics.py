"""Basics: what a user's record says. Pure; knows a table of users and passes on what is there."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

TYPE = pa.list_(pa.struct([pa.field("name", pa.string()), pa.field("value", pa.string())]))


def basics(users: pa.Table, attributes: Sequence[str]) -> pa.ListArray:
    """The given attributes of each user.

    Parameters
    ----------
    users
        With a string column for each attribute.
    attributes
        Their names.

    Returns
    -------
    list<struct<name: string, value: string>> [users]
        Missing values are left out.
    """
    columns = [users[name].combine_chunks() for name in attributes]
    present = np.array([column.is_valid().to_numpy(zero_copy_only=False) for column in columns], bool)
    present = present.reshape(len(columns), len(users)).T
    which, row = np.meshgrid(np.arange(len(columns)), np.arange(len(users)))
    flat = pa.chunked_array(columns, pa.string()) if columns else pa.chunked_array([], pa.string())
    values = flat.take(pa.array((which * len(users) + row)[present]))
    names = pa.array(list(attributes), pa.string()).take(pa.array(which[present]))
    offsets = np.concatenate(([0], np.cumsum(present.sum(1)))).astype(np.int32)
    pairs = pa.StructArray.from_arrays([names, pa.concat_arrays(values.chunks)], fields=list(TYPE.value_type))
    return pa.ListArray.from_arrays(offsets, pairs)
