"""What a search index is, and exact search; knows vectors and item numbers, nothing of users or files."""

from __future__ import annotations

import copy
from typing import Protocol

import numpy as np
import numpy.typing as npt

from engine_runtime.search.order import best

Floats = npt.NDArray[np.float32]
Items = npt.NDArray[np.int32]
Ints = npt.NDArray[np.int64]

BLOCK_SCORES = 1 << 22
"""Scores that a search holds at a time: 16 MiB. Larger blocks come fresh from the system, and that is slow."""


class Asked(Protocol):
    """Queries as an index has taken them: what is worked out for one answer serves the next."""

    def best(self, k: int) -> tuple[Floats, Items]:
        """The `k` best rankable items of each query; see `Index.search`."""
        ...

    def products(self, owners: Ints, items: Ints) -> Floats:
        """Inner products of single pairs.

        Parameters
        ----------
        owners
            int64 [pairs], rising: rows of the queries.
        items
            int64 [pairs]: rankable items.

        Returns
        -------
        float32 [pairs]
        """
        ...


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

    def order(self, queries: Floats) -> Ints:
        """An order, int64 [n], in which queries, float32 [n, d], are answered soonest; no answer depends on it."""
        ...

    def ask(self, queries: Floats) -> Asked:
        """Take some queries, float32 [n, d], of which more than the best items will be asked.

        An exact index holds n scores for each item meanwhile.
        """
        ...


class ExactIndex:
    """Exact search, one matrix product for a block of queries.

    At 12,000 items a ranking takes a third of the time that it takes with a graph (docs/log.md). The yardstick for one.

    Parameters
    ----------
    vectors
        float32 [items, d].
    rankable
        bool [items].

    Attributes
    ----------
    withheld
        int64: columns of the scores that are never found; None where all may be.
    """

    method = "exact"

    def __init__(self, vectors: Floats, rankable: npt.NDArray[np.bool_]) -> None:
        self.vectors = vectors
        self.rankable = rankable
        self._items = np.flatnonzero(rankable).astype(np.int32)
        self._columns = np.cumsum(rankable) - 1
        self._rows = vectors if rankable.all() else vectors[self._items]
        self.withheld: Ints | None = None

    def search(self, queries: Floats, k: int) -> tuple[Floats, Items]:
        """See `Index.search`."""
        scores = np.full((len(queries), k), -np.inf, np.float32)
        items = np.full((len(queries), k), -1, np.int32)
        block = max(1, BLOCK_SCORES // max(1, len(self._items)))
        for start in range(0, len(queries), block):
            part = slice(start, start + block)
            scores[part], items[part] = self.ask(queries[part]).best(k)
        return scores, items

    def with_threads(self, threads: int) -> Index:
        """See `Index.with_threads`; a product's threads are NumPy's own."""
        return self

    def order(self, queries: Floats) -> Ints:
        """See `Index.order`: any will do."""
        return np.arange(len(queries))

    def ask(self, queries: Floats) -> Asked:
        """See `Index.ask`."""
        scores = queries @ self._rows.T
        if self.withheld is None:
            return _Sheet(scores, self._items, self._columns, len(self._items))
        scores[:, self.withheld] = -np.inf
        return _Sheet(scores, self._items, self._columns, len(self._items) - len(self.withheld))

    def without(self, items: npt.NDArray[np.bool_]) -> ExactIndex:
        """The same index, which keeps `items`, bool [items], back; nothing is copied."""
        index = copy.copy(self)
        index.rankable = self.rankable & ~items
        index.withheld = np.flatnonzero(~index.rankable[self._items])
        return index


class _Sheet:
    """All scores of some queries: float32 [queries, rankable items], of which `n_found` may be found."""

    def __init__(self, scores: Floats, items: Items, columns: Ints, n_found: int) -> None:
        self._scores = scores
        self._items = items
        self._columns = columns
        self._n_found = n_found

    def best(self, k: int) -> tuple[Floats, Items]:
        scores = np.full((len(self._scores), k), -np.inf, np.float32)
        items = np.full((len(self._scores), k), -1, np.int32)
        found = min(k, self._n_found)
        if found and len(scores):
            columns, scores[:, :found] = best(self._scores, found)
            items[:, :found] = self._items[columns]
        return scores, items

    def products(self, owners: Ints, items: Ints) -> Floats:
        return np.asarray(self._scores[owners, self._columns[items]])


class Gathered:
    """Queries to an index that finds items without looking at all: single products are worked out when asked for.

    Parameters
    ----------
    index
        What searches.
    queries
        float32 [n, d].
    """

    def __init__(self, index: Index, queries: Floats) -> None:
        self._index = index
        self._queries = queries

    def best(self, k: int) -> tuple[Floats, Items]:
        """See `Asked.best`."""
        return self._index.search(self._queries, k)

    def products(self, owners: Ints, items: Ints) -> Floats:
        """See `Asked.products`; query by query, so that rows of one query alone are copied together."""
        products = np.empty(len(owners), np.float32)
        edges = np.searchsorted(owners, np.arange(len(self._queries) + 1)).tolist()
        for query, start, stop in zip(self._queries, edges[:-1], edges[1:], strict=True):
            # `take` copies rows at twice the speed of an index; `einsum` gives equal rows equal products.
            rows = self._index.vectors.take(items[start:stop], axis=0)
            np.einsum("nd,d->n", rows, query, out=products[start:stop])
        return products
