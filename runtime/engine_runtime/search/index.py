"""What a search index is, and exact search; knows vectors and item numbers, nothing of users or files."""

from __future__ import annotations

from typing import Protocol

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Items = npt.NDArray[np.int32]

# Scores held at a time: 16 MiB. Larger blocks come fresh from the system, and zeroing them costs more than the product.
BLOCK_SCORES = 1 << 22


class Index(Protocol):
    """Items found by inner product with a query.

    Attributes
    ----------
    vectors
        float32 [items, d], of the whole catalogue.
    rankable
        bool [items]: whether a search may return an item.
    method
        ``exact`` or ``hnsw``.
    """

    method: str
    vectors: Floats
    rankable: npt.NDArray[np.bool_]

    def search(self, queries: Floats, k: int) -> tuple[Floats, Items]:
        """The `k` best rankable items of each query.

        Parameters
        ----------
        queries
            float32 [n, d].
        k
            How many; where fewer items exist the rest is item -1 with score ``-inf``.

        Returns
        -------
        scores : float32 [n, k]
            Inner products, best first; equal ones by item number.
        items : int32 [n, k]
        """
        ...

    def with_threads(self, threads: int) -> Index:
        """The same index, searched by so many threads."""
        ...


class ExactIndex:
    """Exact search, one matrix product for a block of queries.

    Below some ten thousand items this is as fast as a graph, and it is the yardstick for one.

    Parameters
    ----------
    vectors
        float32 [items, d].
    rankable
        bool [items].
    """

    method = "exact"

    def __init__(self, vectors: Floats, rankable: npt.NDArray[np.bool_]) -> None:
        self.vectors = vectors
        self.rankable = rankable
        self._items = np.flatnonzero(rankable).astype(np.int32)
        self._rows = vectors if rankable.all() else vectors[self._items]

    def search(self, queries: Floats, k: int) -> tuple[Floats, Items]:
        """See `Index.search`."""
        scores = np.full((len(queries), k), -np.inf, np.float32)
        items = np.full((len(queries), k), -1, np.int32)
        found = min(k, len(self._items))
        if not found:
            return scores, items
        block = max(1, BLOCK_SCORES // len(self._items))
        for start in range(0, len(queries), block):
            products = queries[start : start + block] @ self._rows.T
            rows, values = best(products, found)
            scores[start : start + block, :found] = values
            items[start : start + block, :found] = self._items[rows]
        return scores, items

    def with_threads(self, threads: int) -> Index:
        """See `Index.with_threads`; a product's threads are NumPy's own."""
        return self


def best(scores: Floats, k: int) -> tuple[npt.NDArray[np.int64], Floats]:
    """Columns and values of the `k` largest of each row, largest first, equal ones by column."""
    if k < scores.shape[1]:
        columns = np.argpartition(-scores, k - 1, axis=1)[:, :k]
        values = np.take_along_axis(scores, columns, axis=1)
        least = values.min(axis=1, keepdims=True)
        # Which of several equal ones a partition keeps is chance.
        torn = np.flatnonzero(np.count_nonzero(scores == least, axis=1) > np.count_nonzero(values == least, axis=1))
        columns[torn] = np.argsort(-scores[torn], axis=1, kind="stable")[:, :k]
        columns.sort(axis=1)
    else:
        columns = np.broadcast_to(np.arange(scores.shape[1]), scores.shape)
    values = np.take_along_axis(scores, columns, axis=1)
    order = np.argsort(-values, axis=1, kind="stable")
    return np.take_along_axis(columns, order, axis=1), np.take_along_axis(values, order, axis=1)
