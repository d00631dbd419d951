"""Which items stand behind which point of a graph: equal vectors share one, and a point without items is dead.

A point keeps its number for as long as its graph lives: what leaves the catalogue leaves a dead point behind, and new
vectors are numbered on from the end. Knows vectors and item numbers; knows nothing of the graph's library.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

import numpy as np
import numpy.typing as npt

from engine_runtime.artefacts.arrays import load_arrays, save_arrays
from engine_runtime.errors import ArtefactError
from engine_runtime.search.index import Floats, Items

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

BLOCK_ROWS = 8192
"""Vectors held at a time: some MiB."""


@dataclass(frozen=True)
class Points:
    """The points of a graph.

    Attributes
    ----------
    members
        int32 [rankable items]: items, point by point, rising within each.
    offsets
        int64 [points + 1]: point p stands for the items ``members[offsets[p]:offsets[p + 1]]``; none if it is dead.
    centre
        float32 [d]: what is taken off every vector before it joins the graph.
    """

    members: Items
    offsets: Ints
    centre: Floats

    def __len__(self) -> int:
        """Points, the dead ones included."""
        return len(self.offsets) - 1

    @property
    def living(self) -> Ints:
        """Numbers of the points that stand for an item."""
        return np.flatnonzero(np.diff(self.offsets))

    @property
    def n_living(self) -> int:
        """How many stand for an item."""
        return int(np.count_nonzero(np.diff(self.offsets)))

    def first_items(self, points: Ints) -> Items:
        """An item of each of some living points, whose vector is the point's."""
        return self.members[self.offsets[points]]

    def save(self, path: Path) -> None:
        """Write as ``.npz``."""
        save_arrays(self, path)

    @classmethod
    def load(cls, path: Path, rankable: Bools, dim: int) -> Points:
        """Read what `save` wrote; raises `ArtefactError` where it is not one of these items and this width."""
        points = load_arrays(cls, path, "points of a graph")
        if not points.fit(rankable, dim):
            raise ArtefactError(f"{path} does not fit the items beside it. Run `engine index` again.")
        return points

    def fit(self, rankable: Bools, dim: int) -> bool:
        """Whether the arrays are what the class says, and stand for all of `rankable` and nothing else."""
        offsets, centre = self.offsets, self.centre
        kinds = [(array.ndim, array.dtype.kind) for array in (self.members, offsets, centre)]
        if kinds != [(1, "i"), (1, "i"), (1, "f")] or centre.shape != (dim,) or not len(offsets):
            return False
        whole = offsets[0] == 0 and offsets[-1] == len(self.members) and bool((np.diff(offsets) >= 0).all())
        each = np.array_equal(np.sort(self.members), np.flatnonzero(rankable))
        return bool(whole and each and np.isfinite(centre).all())


def distinct_points(vectors: Floats, rankable: Bools) -> Points:
    """The distinct vectors among the rankable ones, numbered by their first item, so that order says nothing of bytes.

    Parameters
    ----------
    vectors
        float32 [items, d]; read in blocks.
    rankable
        bool [items].
    """
    items = np.flatnonzero(rankable).astype(np.int32)
    _, first, point, counts = np.unique(
        row_keys(vectors, items), return_index=True, return_inverse=True, return_counts=True
    )
    order = np.argsort(first)
    rank = np.empty_like(order)
    rank[order] = np.arange(len(order))
    members = items[np.argsort(rank[point], kind="stable")]
    offsets = np.concatenate(([0], np.cumsum(counts[order]))).astype(np.int64)
    return Points(members, offsets, _mean(vectors, items[first[order]]))


def renewed_points(points: Points, old: Floats, vectors: Floats, rankable: Bools) -> tuple[Points, Ints, Ints]:
    """The points of a graph after its catalogue has changed.

    Parameters
    ----------
    points, old
        Of the graph as it is, and the vectors that it was made of.
    vectors, rankable
        The catalogue to come.

    Returns
    -------
    points : Points
        Under their old numbers, new ones behind them.
    dying : int64 [n]
        Points whose vector no rankable item has any more.
    joining : int64 [m]
        New points.
    """
    found, living = distinct_points(vectors, rankable), points.living
    before = row_keys(old, points.first_items(living))
    after = row_keys(vectors, found.first_items(np.arange(len(found))))
    _, name = np.unique(np.concatenate((before, after)), return_inverse=True)
    number = np.full(len(name), -1, np.int64)
    number[name[: len(before)]] = living
    numbers = number[name[len(before) :]]
    fresh = np.flatnonzero(numbers < 0)
    numbers[fresh] = len(points) + np.arange(len(fresh))
    counts = np.diff(found.offsets)
    members = found.members[np.argsort(np.repeat(numbers, counts), kind="stable")]
    held = np.zeros(len(points) + len(fresh), np.int64)
    held[numbers] = counts
    offsets = np.concatenate(([0], np.cumsum(held))).astype(np.int64)
    return Points(members, offsets, points.centre), np.setdiff1d(living, numbers), numbers[fresh]


def row_keys(vectors: Floats, items: Items) -> npt.NDArray[np.void]:
    """A hash of 128 bits of each item's vector: void [items]."""
    blocks = (items[start : start + BLOCK_ROWS] for start in range(0, len(items), BLOCK_ROWS))
    digests = (blake2b(row, digest_size=16).digest() for block in blocks for row in vectors[block])
    return np.frombuffer(b"".join(digests), np.dtype("V16"))


def _mean(vectors: Floats, items: Items) -> Floats:
    """Mean of some items' vectors: float32 [d]; zero of none."""
    total = np.zeros(vectors.shape[1])
    for start in range(0, len(items), BLOCK_ROWS):
        total += vectors[items[start : start + BLOCK_ROWS]].sum(axis=0, dtype=np.float64)
    return (total / max(len(items), 1)).astype(np.float32)
