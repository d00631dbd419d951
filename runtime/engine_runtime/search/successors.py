"""The successor table: for each item, the items that came after it, with counted weights.

What follows what does not compress into few dimensions, so it stands beside the vector search. Knows item numbers;
knows nothing of how the weights were counted. The last row holds what to show a user without events.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from engine_runtime.artefacts.arrays import load_arrays, save_arrays
from engine_runtime.errors import ArtefactError

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]

BLOCK_ROWS = 4096
"""Rows that are renumbered at a time: what is worked out for an entry takes more room than the entry."""


@dataclass(frozen=True)
class SuccessorTable:
    """Sparse rows of successors.

    Attributes
    ----------
    offsets
        int64 [rows + 1].
    items
        int32 [entries].
    weights
        float32 [entries], positive.
    """

    offsets: Ints
    items: npt.NDArray[np.int32]
    weights: Floats

    @property
    def start_row(self) -> int:
        """Row of a user without events."""
        return len(self.offsets) - 2

    def save(self, path: Path) -> None:
        """Write the table as ``.npz``."""
        save_arrays(self, path)

    @classmethod
    def load(cls, path: Path) -> SuccessorTable:
        """Read a table that `save` wrote; raises `ArtefactError`."""
        table = load_arrays(cls, path, "successor table")
        if not table.sound:
            raise ArtefactError(f"{path} holds no successor table: its arrays do not fit. Make the artefact again.")
        return table

    @property
    def sound(self) -> bool:
        """Whether the arrays are what the class says, and name no item that has no row."""
        offsets, items, weights = self.offsets, self.items, self.weights
        kinds = [(array.ndim, array.dtype.kind) for array in (offsets, items, weights)]
        if kinds != [(1, "i"), (1, "i"), (1, "f")] or len(offsets) < 2 or len(items) != len(weights):
            return False
        whole = offsets[0] == 0 and offsets[-1] == len(items) and bool((np.diff(offsets) >= 0).all())
        known = items.min(initial=0) >= 0 and items.max(initial=-1) < self.start_row
        return bool(whole and known and np.isfinite(weights).all())

    def lookup(self, rows: Ints) -> tuple[Ints, npt.NDArray[np.int32], Floats]:
        """Entries of several rows.

        Returns
        -------
        which : int64 [entries]
            Position in `rows` that each entry belongs to.
        items : int32 [entries]
        weights : float32 [entries]
        """
        counts = self.offsets[rows + 1] - self.offsets[rows]
        which = np.repeat(np.arange(len(rows)), counts)
        entries = np.arange(len(which)) + (self.offsets[rows] - np.cumsum(counts) + counts)[which]
        return which, self.items.take(entries), self.weights.take(entries)

    def renumbered(self, new_items: npt.NDArray[np.int32], n_items: int) -> SuccessorTable:
        """The same table in another catalogue's numbers.

        Parameters
        ----------
        new_items
            int32 [rows - 1]: this table's item i is item ``new_items[i]`` there, -1 where it is gone.
        n_items
            Size of the other catalogue.
        """
        old_rows = np.full(n_items + 1, -1, np.int64)
        present = new_items >= 0
        old_rows[new_items[present]] = np.flatnonzero(present)
        old_rows[n_items] = self.start_row
        known = np.flatnonzero(old_rows >= 0)
        offsets = np.zeros(n_items + 2, np.int64)
        items, weights, stop = np.empty_like(self.items), np.empty_like(self.weights), 0
        for start in range(0, len(known), BLOCK_ROWS):
            rows = known[start : start + BLOCK_ROWS]
            which, old, own = self.lookup(old_rows[rows])
            kept = new_items[old] >= 0
            begin, stop = stop, stop + int(kept.sum())
            items[begin:stop], weights[begin:stop] = new_items[old[kept]], own[kept]
            offsets[rows + 1] = np.bincount(which[kept], minlength=len(rows))
        return SuccessorTable(np.cumsum(offsets), items[:stop], weights[:stop])
