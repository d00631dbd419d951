"""HNSW search over item vectors, with hnswlib's traps closed.

hnswlib forgets `ef` on load, takes any file for an index of any width, accepts NaN, and loses points among many equal
ones (docs/architecture.md, "Index"). Here equal vectors share one point, `ef` is set after every load, inputs are
checked, and the file travels in an artefact whose digests are verified before this module sees it.

The graph holds the vectors less their mean: that moves all scores of a query alike, so the order stays, and a graph
over centred vectors is found through where the common part would hide what tells items apart.
"""

from __future__ import annotations

import copy
from pathlib import Path

import hnswlib
import numpy as np
import numpy.typing as npt

from engine_runtime.errors import ArtefactError
from engine_runtime.search.index import ExactIndex, Floats, Items

# Below this a build on one thread takes seconds, and gives the same graph every time.
ONE_THREAD_POINTS = 100_000


class HnswIndex:
    """Approximate search by inner product.

    Parameters
    ----------
    vectors
        float32 [items, d].
    rankable
        bool [items].
    graph
        A loaded or built hnswlib index over the distinct rankable vectors, in the order of `distinct_points`.
    ef
        Breadth of a search.
    threads
        Threads of a search over many queries.
    """

    method = "hnsw"

    def __init__(
        self, vectors: Floats, rankable: npt.NDArray[np.bool_], graph: hnswlib.Index, ef: int, threads: int
    ) -> None:
        self.vectors = vectors
        self.rankable = rankable
        self.ef = ef
        self._graph = graph
        self._threads = threads
        points, self._members, self._offsets = distinct_points(vectors, rankable)
        self._centre = centre_of(points)
        self._shared = len(self._members) > len(self._offsets) - 1
        if graph.get_current_count() != self.n_points:
            raise ArtefactError(
                f"the HNSW graph has {graph.get_current_count()} points, the vectors {self.n_points}. "
                "Run `engine index` again."
            )

    @property
    def n_points(self) -> int:
        """Distinct vectors in the graph."""
        return len(self._offsets) - 1

    @classmethod
    def build(
        cls,
        vectors: Floats,
        rankable: npt.NDArray[np.bool_],
        *,
        m: int,
        ef_construction: int,
        ef: int,
        threads: int,
    ) -> HnswIndex:
        """Build the graph; see the class for the parameters, and hnswlib for `m` and `ef_construction`."""
        points, _, _ = distinct_points(vectors, rankable)
        graph = hnswlib.Index(space="ip", dim=vectors.shape[1])
        graph.init_index(max_elements=len(points), M=m, ef_construction=ef_construction, random_seed=100)
        workers = 1 if len(points) < ONE_THREAD_POINTS else threads
        if len(points):  # hnswlib refuses to add nothing
            graph.add_items(points - centre_of(points), np.arange(len(points)), num_threads=workers)
        return cls(vectors, rankable, graph, ef, threads)

    @classmethod
    def load(cls, path: Path, vectors: Floats, rankable: npt.NDArray[np.bool_], *, ef: int, threads: int) -> HnswIndex:
        """Load a graph that `save` wrote, over the same vectors."""
        graph = hnswlib.Index(space="ip", dim=vectors.shape[1])
        try:
            graph.load_index(str(path))
        except RuntimeError as error:
            raise ArtefactError(f"hnswlib cannot load {path}: {error}. Run `engine index` again.") from error
        return cls(vectors, rankable, graph, ef, threads)

    def save(self, path: Path) -> None:
        """Write the graph."""
        self._graph.save_index(str(path))

    def search(self, queries: Floats, k: int) -> tuple[Floats, Items]:
        """See `engine_runtime.search.index.Index.search`."""
        if not np.isfinite(queries).all():
            raise ValueError("a query vector is not finite")
        scores = np.full((len(queries), k), -np.inf, np.float32)
        items = np.full((len(queries), k), -1, np.int32)
        found = min(k, self.n_points)
        if not len(queries) or not found:
            return scores, items
        self._graph.set_ef(max(self.ef, found))
        try:
            # hnswlib falls back to one thread by itself on few queries.
            labels, distances = self._graph.knn_query(queries, k=found, num_threads=self._threads)
        except RuntimeError:  # the links lead to fewer than `found` points, as happens where most are asked for
            return ExactIndex(self.vectors, self.rankable).search(queries, k)
        products = 1 - distances + (queries @ self._centre)[:, None]
        if self._shared:
            self._expand(labels.astype(np.int64), products, scores, items)
            return scores, items
        scores[:, :found] = products
        items[:, :found] = self._members[labels.astype(np.int64)]
        return scores, items

    def with_threads(self, threads: int) -> HnswIndex:
        """See `engine_runtime.search.index.Index.with_threads`."""
        index = copy.copy(self)
        index._threads = threads  # noqa: SLF001
        return index

    def _expand(self, points: npt.NDArray[np.int64], values: Floats, scores: Floats, items: Items) -> None:
        """Put the items of each point in its place, until a query's row of `scores` and `items` is full."""
        counts = np.diff(self._offsets)[points]
        before = np.cumsum(counts, axis=1) - counts
        counts = np.clip(items.shape[1] - before, 0, counts)
        rows = np.repeat(np.arange(len(points)), counts.sum(axis=1))
        step = np.arange(counts.sum()) - np.repeat(np.cumsum(counts.ravel()) - counts.ravel(), counts.ravel())
        columns = np.repeat(before.ravel(), counts.ravel()) + step
        items[rows, columns] = self._members[np.repeat(self._offsets[points].ravel(), counts.ravel()) + step]
        scores[rows, columns] = np.repeat(values.ravel(), counts.ravel())


def centre_of(points: Floats) -> Floats:
    """Mean of the points: float32 [d]."""
    return points.mean(axis=0) if len(points) else np.zeros(points.shape[1], np.float32)


def distinct_points(
    vectors: Floats, rankable: npt.NDArray[np.bool_]
) -> tuple[Floats, npt.NDArray[np.int32], npt.NDArray[np.int64]]:
    """The distinct vectors among the rankable ones.

    Returns
    -------
    points : float32 [points, d]
    members : int32 [rankable items]
        Items, point by point.
    offsets : int64 [points + 1]
        Point p stands for the items ``members[offsets[p]:offsets[p + 1]]``.
    """
    items = np.flatnonzero(rankable).astype(np.int32)
    rows = np.ascontiguousarray(vectors[items])
    keys = rows.view(np.dtype((np.void, rows.dtype.itemsize * rows.shape[1]))).ravel()
    _, first, point, counts = np.unique(keys, return_index=True, return_inverse=True, return_counts=True)
    # Number the points by their first item, so that the order says nothing of the bytes.
    order = np.argsort(first)
    rank = np.empty_like(order)
    rank[order] = np.arange(len(order))
    members = items[np.argsort(rank[point], kind="stable")]
    offsets = np.concatenate(([0], np.cumsum(counts[order]))).astype(np.int64)
    return rows[first[order]], members, offsets
