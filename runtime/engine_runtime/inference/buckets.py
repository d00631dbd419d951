"""Length buckets: batches of few shapes, so that what a GPU sets up for a shape is set up once.

Pure; knows lengths alone. A batch's padded width is one of four in each octave, and a full batch of a width has always
the same number of rows; the last one of a width is padded to a power of two.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]

# Widths are multiples of it: kernels of half precision want their rows aligned so.
STEP = 8


@dataclass(frozen=True)
class Buckets:
    """How texts are put together.

    Attributes
    ----------
    longest
        Most tokens of a text.
    budget
        Most positions of one padded batch; a text wider than it is a batch of its own.
    """

    longest: int
    budget: int

    @cached_property
    def widths(self) -> Ints:
        """Widths that batches are padded to, ascending; the last is `longest`, which may be no multiple of the step."""
        widths, width = [], STEP
        while width < self.longest:
            widths.append(width)
            width += max(STEP, 1 << (width.bit_length() - 3))
        return np.array([*widths, self.longest])

    def cut(self, lengths: npt.ArrayLike) -> list[Ints]:
        """Cut texts into batches.

        Parameters
        ----------
        lengths
            Tokens of each text, int [texts], at most `longest`.

        Returns
        -------
        list of int64 arrays
            Numbers of the texts of each batch, narrow ones first; every text is in exactly one, and those of a width
            keep their order.
        """
        bucket = np.searchsorted(self.widths, np.asarray(lengths, np.int64))
        order = np.argsort(bucket, kind="stable")
        ends = np.cumsum(np.bincount(bucket, minlength=len(self.widths)))
        batches = []
        for width, rows in zip(self.widths.tolist(), np.split(order, ends[:-1]), strict=True):
            full = self._full(width)
            batches += [rows[start : start + full] for start in range(0, len(rows), full)]
        return batches

    def shape(self, rows: int, columns: int) -> tuple[int, int]:
        """Height and width that a batch of so many texts, the longest of so many tokens, is padded to."""
        width = int(self.widths[np.searchsorted(self.widths, columns)])
        height = 1 << (rows - 1).bit_length()
        return max(rows, min(height, self._full(width))), width

    def _full(self, width: int) -> int:
        return max(1, self.budget // width)
