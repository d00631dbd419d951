"""Interests: the strongest concepts of a profile, by name. Pure; knows arrays and names."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa

TYPE = pa.list_(pa.struct([pa.field("name", pa.string()), pa.field("weight", pa.float32())]))
TOP = 10


def interests(concepts: npt.NDArray[np.float32], names: Sequence[str], top: int = TOP) -> pa.ListArray:
    """The `top` concepts of each user, strongest first.

    Parameters
    ----------
    concepts
        z_u: float32 [users, C]; a row of zeros, a user without events, has no interests.
    names
        Of the C concepts.
    top
        How many at most.

    Returns
    -------
    list<struct<name: string, weight: float>> [users]
        Weights are shares of the whole profile.
    """
    order = np.argsort(-concepts, axis=1, kind="stable")[:, :top]
    weights = np.take_along_axis(concepts, order, axis=1)
    kept = weights > 0
    offsets = np.concatenate(([0], np.cumsum(kept.sum(1)))).astype(np.int32)
    chosen = pa.array(names, pa.string()).take(pa.array(order[kept]))
    values = pa.StructArray.from_arrays([chosen, pa.array(weights[kept], pa.float32())], fields=list(TYPE.value_type))
    return pa.ListArray.from_arrays(offsets, values)
