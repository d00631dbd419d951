"""HNSW search over item vectors, with hnswlib's traps closed.

hnswlib forgets `ef` on load, takes any file for an index of any width, accepts NaN, and loses points among many equal
ones (docs/architecture.md, "Index"). Here equal vectors share one point, `ef` is set after every load, inputs are
checked, and the file travels in an artefact whose digests are verified before this module sees it.

The graph holds the vectors less their mean: that moves all scores of a query alike, so the order stays, and a graph
over centred vectors is found through where the common part would hide what tells items apart. It has its own copy of
them, beside the links; the vectors that an index is given may lie on the disk.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path

import hnswlib
import numpy as np
import numpy.typing as npt

from engine_runtime.errors import ArtefactError
from engine_runtime.search.index import Asked, ExactIndex, Floats, Gathered, Items
from engine_runtime.search.points import BLOCK_ROWS, Bools, Ints, Points, distinct_points, renewed_points

# Below this a build on one thread takes a minute at most, and gives the same graph every time.
ONE_THREAD_POINTS = 100_000

# Queries next to the same one of so many points walk the same part of the graph: one after another they find it in the
# cache. Fewer queries in a call have few neighbours, or are a block of a ranking, which is in order already.
LANDMARKS = 256
LEAST_ORDERED = 512

SMALL_PRODUCT = 8
"""Queries of one product: so few that BLAS does it in this thread, where its other ones would spin for .1 s after."""


def unseen(done: int) -> None:
    """Watch nothing."""


class HnswIndex:
    """Approximate search by inner product.

    Parameters
    ----------
    vectors
        float32 [items, d].
    rankable
        bool [items].
    graph
        A loaded or built hnswlib index over `points`, labelled by their numbers.
    points
        The distinct vectors among the rankable ones.
    ef
        Breadth of a search.
    threads
        Threads of a search over many queries, and of a build of many points.
    """

    method = "hnsw"

    def __init__(
        self, vectors: Floats, rankable: Bools, graph: hnswlib.Index, points: Points, ef: int, threads: int
    ) -> None:
        self.vectors = vectors
        self.rankable = rankable
        self.points = points
        self.ef = ef
        self._graph = graph
        self._threads = threads
        self.n_points = points.n_living
        self._shared = len(points.members) > self.n_points
        self._landmarks = _landmarks(vectors, points)
        if graph.get_current_count() != len(points):
            raise ArtefactError(
                f"the HNSW graph has {graph.get_current_count()} points, the vectors {len(points)}. "
                "Run `engine index` again."
            )

    @classmethod
    def build(
        cls,
        vectors: Floats,
        rankable: Bools,
        *,
        m: int,
        ef_construction: int,
        ef: int,
        threads: int,
        advance: Callable[[int], object] = unseen,
    ) -> HnswIndex:
        """Build the graph; see the class for the parameters, and hnswlib for `m` and `ef_construction`.

        `advance` is told of every further so many points. Up to `ONE_THREAD_POINTS` the same vectors give the same
        graph; beyond, several threads insert at once, and graphs differ as these come in turn.
        """
        points = distinct_points(vectors, rankable)
        graph = hnswlib.Index(space="ip", dim=vectors.shape[1])
        graph.init_index(max_elements=len(points), M=m, ef_construction=ef_construction, random_seed=100)
        _insert(graph, vectors, points, np.arange(len(points)), threads, advance)
        return cls(vectors, rankable, graph, points, ef, threads)

    @classmethod
    def load(
        cls,
        path: Path,
        vectors: Floats,
        rankable: Bools,
        *,
        ef: int,
        threads: int,
        points: Points | None = None,
    ) -> HnswIndex:
        """Load a graph that `save` wrote, over the same vectors.

        Without `points` the graph is taken for one that was built over these very vectors, and they are worked out.
        """
        graph = hnswlib.Index(space="ip", dim=vectors.shape[1])
        try:
            graph.load_index(str(path))
        except RuntimeError as error:
            raise ArtefactError(f"hnswlib cannot load {path}: {error}. Run `engine index` again.") from error
        known = distinct_points(vectors, rankable) if points is None else points
        return cls(vectors, rankable, graph, known, ef, threads)

    def renewed(self, vectors: Floats, rankable: Bools) -> HnswIndex:
        """The index of a changed catalogue, with the graph of this one, which must not be searched any more.

        Vectors that are new join the graph. Points that no item needs any more are dead: they keep their place as
        stepping stones of a search and are never found.
        """
        points, dying, joining = renewed_points(self.points, self.vectors, vectors, rankable)
        for point in dying.tolist():
            self._graph.mark_deleted(point)
        self._graph.resize_index(len(points))
        _insert(self._graph, vectors, points, joining, self._threads, unseen)
        return HnswIndex(vectors, rankable, self._graph, points, self.ef, self._threads)

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
            labels, distances = self._walk(queries, found)
        except RuntimeError:  # the links lead some query to fewer than `found` points: most of them are asked for
            return self._apart(queries, k)
        # `einsum` gives a query the same product in any company.
        products = 1 - distances + np.einsum("nd,d->n", queries, self.points.centre)[:, None]
        if self._shared:
            self._expand(labels, products, scores, items)
            return scores, items
        scores[:, :found] = products
        items[:, :found] = self.points.first_items(labels)
        return scores, items

    def with_threads(self, threads: int) -> HnswIndex:
        """See `engine_runtime.search.index.Index.with_threads`."""
        index = copy.copy(self)
        index._threads = threads  # noqa: SLF001
        return index

    def order(self, queries: Floats) -> Ints:
        """See `engine_runtime.search.index.Index.order`: by the landmark that each query is nearest to."""
        if not len(self._landmarks):
            return np.arange(len(queries))
        groups = -(-len(queries) // SMALL_PRODUCT)
        padded = np.zeros((groups * SMALL_PRODUCT, queries.shape[1]), np.float32)
        padded[: len(queries)] = queries
        products = padded.reshape(groups, SMALL_PRODUCT, -1) @ self._landmarks.T
        nearest = products.argmax(axis=2).ravel()[: len(queries)]
        return np.argsort(nearest, kind="stable")

    def ask(self, queries: Floats) -> Asked:
        """See `engine_runtime.search.index.Index.ask`."""
        return Gathered(self, queries)

    def _walk(self, queries: Floats, k: int) -> tuple[Ints, Floats]:
        """The `k` points nearest to each query and their distances; raises `RuntimeError` where there are fewer.

        A query's answer does not depend on the order; the time does.
        """
        if len(queries) < LEAST_ORDERED:
            # hnswlib falls back to one thread by itself on few queries.
            labels, distances = self._graph.knn_query(queries, k=k, num_threads=self._threads)
            return labels.astype(np.int64), distances
        order = self.order(queries)
        labels, distances = self._graph.knn_query(queries[order], k=k, num_threads=self._threads)
        places = np.argsort(order)
        return labels.astype(np.int64)[places], distances[places]

    def _apart(self, queries: Floats, k: int) -> tuple[Floats, Items]:
        """Search for one query at a time, and exactly where the links lead to too few points."""
        if len(queries) == 1:
            return ExactIndex(self.vectors, self.rankable).search(queries, k)
        scores, items = zip(*(self.search(query[None], k) for query in queries), strict=True)
        return np.concatenate(scores), np.concatenate(items)

    def _expand(self, points: Ints, values: Floats, scores: Floats, items: Items) -> None:
        """Put the items of each point in its place, until a query's row of `scores` and `items` is full."""
        offsets = self.points.offsets
        counts = offsets[points + 1] - offsets[points]
        before = np.cumsum(counts, axis=1) - counts
        counts = np.clip(items.shape[1] - before, 0, counts)
        rows = np.repeat(np.arange(len(points)), counts.sum(axis=1))
        step = np.arange(counts.sum()) - np.repeat(np.cumsum(counts.ravel()) - counts.ravel(), counts.ravel())
        columns = np.repeat(before.ravel(), counts.ravel()) + step
        items[rows, columns] = self.points.members[np.repeat(offsets[points].ravel(), counts.ravel()) + step]
        scores[rows, columns] = np.repeat(values.ravel(), counts.ravel())


def _landmarks(vectors: Floats, points: Points) -> Floats:
    """Directions of some items, less the mean: float32 [up to `LANDMARKS`, d]."""
    some = points.members[:: max(1, len(points.members) // LANDMARKS)][:LANDMARKS]
    found = vectors[some] - points.centre
    lengths = np.linalg.norm(found, axis=1, keepdims=True)
    return np.asarray(found / np.maximum(lengths, np.finfo(np.float32).tiny))


def _insert(
    graph: hnswlib.Index,
    vectors: Floats,
    points: Points,
    joining: npt.NDArray[np.int64],
    threads: int,
    advance: Callable[[int], object],
) -> None:
    """Add points to a graph that has room for them, a block at a time."""
    workers = 1 if len(joining) < ONE_THREAD_POINTS else threads
    for start in range(0, len(joining), BLOCK_ROWS):
        block = joining[start : start + BLOCK_ROWS]
        rows = vectors[points.first_items(block)]
        rows -= points.centre
        graph.add_items(rows, block, num_threads=workers)
        advance(len(block))
