"""Sorting by plain whole numbers, which numpy does many times as fast as any sort that gives positions.

What is to be sorted and what is to be known of it afterwards are bits of one number. Pure functions over arrays; they
know nothing of users or items.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

SCORE_BITS = 32
MOST_COLUMNS_A_CHUNK = 16
CHUNKS_A_PLACE = 3


def best(scores: Floats, k: int) -> tuple[Ints, Floats]:
    """Columns and values of the `k` largest of each row, largest first, equal ones by column.

    Parameters
    ----------
    scores
        float32 [rows, columns], no NaN; at least one row.
    k
        From 1 to the number of columns.

    Returns
    -------
    columns : int64 [rows, k]
    values : float32 [rows, k]
    """
    n_rows, n_columns = scores.shape
    large = np.flatnonzero(scores >= _bound(scores, k)[:, None])
    edges = np.searchsorted(large, np.arange(n_rows + 1) * n_columns)
    counts = np.diff(edges)
    packed = np.full((n_rows, counts.max()), np.iinfo(np.int64).max)
    columns = large - np.repeat(np.arange(n_rows) * n_columns, counts)
    bits = n_columns.bit_length()
    packed[np.arange(packed.shape[1]) < counts[:, None]] = falling(scores.ravel()[large]) << bits | columns
    packed.sort(axis=1)
    packed = packed[:, :k]
    return packed & ((1 << bits) - 1), fallen(packed >> bits)


def _bound(scores: Floats, k: int) -> Floats:
    """A number for each row that at least `k` of its scores reach, and few more: float32 [rows].

    It is the k-th largest among the maxima of chunks, of which there are a few times k.
    """
    n_rows, n_columns = scores.shape
    size = max(1, min(MOST_COLUMNS_A_CHUNK, n_columns // (CHUNKS_A_PLACE * k)))
    n_chunks = n_columns // size
    # A chunk's columns lie `n_chunks` apart: maxima of whole rows at a time.
    maxima: Floats = scores[:, : size * n_chunks].reshape(n_rows, size, n_chunks).max(axis=1)
    maxima.partition(n_chunks - k, axis=1)
    return maxima[:, n_chunks - k]


def falling(scores: Floats) -> Ints:
    """Whole numbers of `SCORE_BITS` bits in the opposite order of the scores: int64, 0 to 2**32 - 1.

    The bits of positive floats are ordered as the floats are, those of negative ones the other way round.
    """
    bits = (scores + np.float32(0)).view(np.int32)  # + 0: there is but one zero
    rising = np.where(bits < 0, ~bits | np.int32(-(2**31)), bits)
    return np.int64(2**31 - 1) - rising


def fallen(codes: Ints) -> Floats:
    """The scores that `falling` gave these codes for."""
    rising = (np.int64(2**31 - 1) - codes).astype(np.int32)
    return np.where(rising < 0, ~rising | np.int32(-(2**31)), rising).view(np.float32)


def summed(keys: Ints, values: Doubles) -> tuple[Ints, Doubles]:
    """Each distinct key, rising, with the sum of its values in the order in which they stand.

    Parameters
    ----------
    keys
        int64 [n], not negative; ``keys.max() * 2 * n`` is below ``2**63``.
    values
        float64 [n].
    """
    bits = len(keys).bit_length()
    packed = keys << bits | np.arange(len(keys))
    packed.sort()
    sorted_keys = packed >> bits
    first = np.flatnonzero(np.diff(sorted_keys, prepend=-1))
    return sorted_keys[first], np.add.reduceat(values[packed & ((1 << bits) - 1)], first)
