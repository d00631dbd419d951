"""Length buckets: batches of few shapes, so that what a GPU sets up for a shape is set up once.

Pure; knows lengths alone. A bucket's padded width is one of four in each octave, and a full batch of it has always the
same number of rows; the last one of a bucket is padded to a power of two.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]

# Widths are multiples of it: kernels of half precision want their rows aligned so.
STEP = 8


@dataclass(frozen=True)
class Shaped:
    """A batch and the shape that it is padded to.

    Attributes
    ----------
    rows
        Numbers of the texts in it, int64 [n].
    height
        Rows of the padded batch, at least n.
    width
        Its columns, at least the longest of the texts.
    """

    rows: Ints
    height: int
    width: int


def bucket_widths(longest: int) -> Ints:
    """Widths that batches are padded to, ascending; the last is `longest`, which may be no multiple of the step."""
    widths, width = [], STEP
    while width < longest:
        widths.append(width)
        width += max(STEP, 1 << (width.bit_length() - 3))
    return np.array([*widths, longest])


def cut_buckets(lengths: npt.ArrayLike, budget: int, longest: int) -> Iterator[Shaped]:
    """Cut rows into batches of few shapes.

    Parameters
    ----------
    lengths
        Length of each row, int [rows], at most `longest`.
    budget
        Most positions of one padded batch; a row wider than it is a batch of its own.
    longest
        Most that a row may have.

    Yields
    ------
    Shaped
        Narrow ones first; every row is in exactly one, and rows of a bucket keep their order.
    """
    widths = bucket_widths(longest)
    bucket = np.searchsorted(widths, np.asarray(lengths, np.int64))
    order = np.argsort(bucket, kind="stable")
    ends = np.cumsum(np.bincount(bucket, minlength=len(widths)))
    for width, rows in zip(widths.tolist(), np.split(order, ends[:-1]), strict=True):
        full = max(1, budget // width)
        for start in range(0, len(rows), full):
            part = rows[start : start + full]
            yield Shaped(part, min(full, 1 << (len(part) - 1).bit_length()), width)
