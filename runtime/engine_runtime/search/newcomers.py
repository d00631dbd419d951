"""What an item that training has not seen borrows from the items that it is like in text.

An item without events has a vector from its text alone and stands in no row of the successor table. Its neighbours
among the trained items lend it both: the mean of their residuals, and a share of the places where they are successors.
Knows vectors and item numbers; knows nothing of texts or files.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from engine_runtime.artefacts.arrays import load_arrays, save_arrays
from engine_runtime.errors import ArtefactError
from engine_runtime.search.index import BLOCK_SCORES, Floats, Items
from engine_runtime.search.order import best
from engine_runtime.search.successors import SuccessorTable

Bools = npt.NDArray[np.bool_]

NEIGHBOURS = 20
SHARPNESS = 0.1
"""Of the softmax of cosines that makes neighbours' shares; the figures are in docs/log.md."""

MOST_LENT = 50
"""New successors a row of the table."""

BLOCK_ROWS = 256
BLOCK_BORROWERS = 4096


@dataclass(frozen=True)
class Newcomers:
    """Items without events in training, and the trained items that they are like.

    Attributes
    ----------
    items
        int32 [n], rising.
    neighbours
        int32 [n, k]: trained items, nearest first.
    shares
        float32 [n, k]: weights of the neighbours; rows sum to 1.
    """

    items: Items
    neighbours: Items
    shares: Floats

    def borrowed(self, residuals: Floats) -> Floats:
        """Mean of the neighbours' rows of `residuals`, float32 [items, d]: float32 [n, d]."""
        mean = np.zeros((len(self.items), residuals.shape[1]), np.float32)
        for start in range(0, len(self.items) if self.neighbours.size else 0, BLOCK_BORROWERS):
            rows = slice(start, start + BLOCK_BORROWERS)  # a row of residuals for each neighbour of all would be much
            np.einsum("nk,nkd->nd", self.shares[rows], residuals[self.neighbours[rows]], out=mean[rows])
        return mean

    def mask(self, n_items: int) -> Bools:
        """Whether an item is new: bool [items]."""
        new = np.zeros(n_items, np.bool_)
        new[self.items] = True
        return new

    def save(self, path: Path) -> None:
        """Write as ``.npz``."""
        save_arrays(self, path)

    @classmethod
    def load(cls, path: Path) -> Newcomers:
        """Read what `save` wrote; raises `ArtefactError`."""
        newcomers = load_arrays(cls, path, "newcomers")
        shapes = newcomers.items.shape, newcomers.neighbours.shape[:1], newcomers.shares.shape
        if shapes != ((len(newcomers.items),), (len(newcomers.items),), newcomers.neighbours.shape):
            raise ArtefactError(f"{path} holds no newcomers: arrays of the shapes {shapes}. Make the artefact again.")
        return newcomers

    def within(self, n_items: int) -> bool:
        """Whether all that is named is one of `n_items` items."""
        named = np.concatenate((self.items, self.neighbours.ravel()))
        return bool(named.dtype.kind == "i" and named.min(initial=0) >= 0 and named.max(initial=-1) < n_items)


def find_newcomers(texts: Floats, trained: Bools) -> Newcomers:
    """Match new items with trained ones by the cosine of their whitened texts.

    Parameters
    ----------
    texts
        float32 [items, w]: unit directions of whitened texts.
    trained
        bool [items].
    """
    new, known = np.flatnonzero(~trained).astype(np.int32), np.flatnonzero(trained).astype(np.int32)
    return Newcomers(new, *find_neighbours(texts[new], texts, known))


def find_neighbours(asking: Floats, texts: Floats, known: Items) -> tuple[Items, Floats]:
    """The known items that each text is like, in memory that does not grow with their number.

    Parameters
    ----------
    asking
        float32 [n, w]: unit directions of whitened texts.
    texts
        float32 [items, w]: those of a catalogue.
    known
        int32 [m]: items to choose from, rising.

    Returns
    -------
    neighbours : int32 [n, k]
        Nearest first; k is `NEIGHBOURS`, or all of fewer known items.
    shares : float32 [n, k]
        Rows sum to 1.
    """
    count = min(NEIGHBOURS, len(known))
    neighbours, shares = np.zeros((len(asking), count), np.int32), np.zeros((len(asking), count), np.float32)
    for start in range(0, len(asking) if count else 0, BLOCK_BORROWERS):
        rows = slice(start, start + BLOCK_BORROWERS)
        cosines, neighbours[rows] = _nearest(asking[rows], texts, known, count)
        weights = np.exp((cosines - cosines[:, :1]) / SHARPNESS)
        shares[rows] = weights / weights.sum(axis=1, keepdims=True)
    return neighbours, shares


def _nearest(asking: Floats, texts: Floats, known: Items, count: int) -> tuple[Floats, Items]:
    """Cosines and items of the `count` nearest known ones of some texts, block by block of those."""
    cosines, items = np.zeros((len(asking), 0), np.float32), np.zeros((len(asking), 0), np.int32)
    block = max(count, BLOCK_SCORES // max(len(asking), 1))
    for start in range(0, len(known), block):
        some = known[start : start + block]
        both = np.concatenate((cosines, asking @ texts[some].T), axis=1)
        named = np.concatenate((items, np.broadcast_to(some, (len(asking), len(some)))), axis=1)
        columns, cosines = best(both, min(count, both.shape[1]))
        items = np.take_along_axis(named, columns, axis=1)
    return cosines, items


def lend_successors(table: SuccessorTable, newcomers: Newcomers) -> SuccessorTable:
    """The table in which new items stand beside their neighbours.

    A neighbour's weight in a row, times its share, is added to the newcomer's; a row takes the `MOST_LENT` strongest.
    The start row is left as it is: what is popular was counted.
    """
    n_items = table.start_row
    lent = _by_neighbour(newcomers, n_items)
    pieces = [
        _lent_entries(table, lent, start, min(start + BLOCK_ROWS, n_items)) for start in range(0, n_items, BLOCK_ROWS)
    ]
    if not pieces:
        return table
    taken, items, weights = (np.concatenate(arrays) for arrays in zip(*pieces, strict=True))
    counts = np.stack((np.diff(table.offsets), np.append(taken, 0)), axis=1)
    # A row is its own entries, then the lent ones. A mark an entry tells them apart: a number would take eight times
    # the room, and the table is the largest thing beside the vectors.
    is_lent = np.repeat(np.tile([False, True], n_items + 1), counts.ravel())
    joined = SuccessorTable(
        offsets=np.concatenate(([0], np.cumsum(counts.sum(axis=1)))),
        items=np.empty(len(is_lent), np.int32),
        weights=np.empty(len(is_lent), np.float32),
    )
    joined.items[is_lent], joined.weights[is_lent] = items, weights
    np.logical_not(is_lent, out=is_lent)
    joined.items[is_lent], joined.weights[is_lent] = table.items, table.weights
    return joined


def _by_neighbour(newcomers: Newcomers, n_items: int) -> SuccessorTable:
    """For each trained item the newcomers that it is like, with the shares: rows like those of a successor table."""
    lenders = newcomers.neighbours.ravel()
    order = np.argsort(lenders, kind="stable")
    counts = np.bincount(lenders, minlength=n_items)
    borrowers = np.repeat(newcomers.items, newcomers.neighbours.shape[1])
    offsets = np.concatenate(([0], np.cumsum(counts))).astype(np.int64)
    return SuccessorTable(offsets, borrowers[order], newcomers.shares.ravel()[order])


def _lent_entries(
    table: SuccessorTable, lent: SuccessorTable, start: int, stop: int
) -> tuple[npt.NDArray[np.int64], Items, Floats]:
    """What rows `start` to `stop` - 1 lend: how many entries each, and row by row their new items and weights."""
    n_items = table.start_row
    row, successors, weights = table.lookup(np.arange(start, stop))
    which, borrowers, shares = lent.lookup(successors.astype(np.int64))
    keys, place = np.unique((row[which] + start) * n_items + borrowers, return_inverse=True)
    values = np.bincount(place, weights[which] * shares, len(keys))
    rows = keys // n_items
    order = np.lexsort((keys, -values, rows))
    kept = order[np.arange(len(order)) - np.searchsorted(rows, rows[order]) < MOST_LENT]
    taken = np.bincount(rows[kept] - start, minlength=stop - start)
    return taken, (keys[kept] % n_items).astype(np.int32), values[kept].astype(np.float32)
