"""Batches by token budget: sorted by length, cut where rows times the longest would pass the budget.

Pure; knows lengths alone. A batch of many short rows and one of a few long ones cost about the same, and little of
either is padding, or none where only rows of one length share a batch.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]


def cut_batches(lengths: npt.ArrayLike, budget: int) -> list[Ints]:
    """Cut rows into batches.

    Parameters
    ----------
    lengths
        Length of each row, int [rows].
    budget
        Most positions of one padded batch. A row longer than it is a batch of its own.

    Returns
    -------
    list of int64 arrays
        Row numbers of each batch, shortest rows first; every row is in exactly one batch. Rows of equal length keep
        their order.
    """
    sizes = np.maximum(np.asarray(lengths, np.int64), 1)
    order = np.argsort(sizes, kind="stable")
    ascending = sizes[order]
    batches = []
    start = 0
    while start < len(order):
        most = start + max(1, budget // int(ascending[start]))
        window = ascending[start:most]
        padded = window * np.arange(1, len(window) + 1)  # never falls, so the cut can be searched for
        stop = start + max(1, int(np.searchsorted(padded, budget, side="right")))
        batches.append(order[start:stop])
        start = stop
    return batches


def cut_equal(lengths: npt.ArrayLike, budget: int) -> list[Ints]:
    """Cut rows into batches of one length each, so that nothing is padded.

    Parameters
    ----------
    lengths
        Length of each row, int [rows].
    budget
        Most positions of one batch. A row longer than it is a batch of its own.

    Returns
    -------
    list of int64 arrays
        Row numbers of each batch, shortest rows first; every row is in exactly one batch. Batches of one length differ
        by at most one row, and their rows keep their order.
    """
    sizes = np.maximum(np.asarray(lengths, np.int64), 1)
    order = np.argsort(sizes, kind="stable")
    groups = np.split(order, np.flatnonzero(np.diff(sizes[order])) + 1) if len(order) else []
    return [
        batch
        for rows in groups
        for batch in np.array_split(rows, -(-len(rows) // max(1, budget // int(sizes[rows[0]]))))
    ]


def pad_rows(
    values: npt.NDArray[np.generic], offsets: Ints, rows: Ints, width: int, fill: float
) -> npt.NDArray[np.generic]:
    """Lay ragged rows side by side.

    Parameters
    ----------
    values
        All rows one after another, [sum of lengths].
    offsets
        int64 [rows + 1].
    rows
        The rows wanted, int64 [n].
    width
        Columns of the result; longer rows keep their last `width` values.
    fill
        What stands where a row has ended.

    Returns
    -------
    array [n, width]
        Of the type of `values`.
    """
    padded = np.full((len(rows), width), fill, values.dtype)
    stops = offsets[rows + 1]
    starts = np.maximum(offsets[rows], stops - width)
    columns = np.arange(width)
    inside = columns < (stops - starts)[:, None]
    padded[inside] = values[(starts[:, None] + columns)[inside]]
    return padded
