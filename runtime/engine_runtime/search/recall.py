"""How much of what exact search finds an index finds too; knows vectors and scores alone."""

from __future__ import annotations

import numpy as np

from engine_runtime.search.index import BLOCK_SCORES, Floats
from engine_runtime.search.points import BLOCK_ROWS, Bools


def exact_scores(vectors: Floats, rankable: Bools, queries: Floats, k: int) -> Floats:
    """The `k` largest inner products of each query, largest first, in memory that does not grow with the items.

    Parameters
    ----------
    vectors
        float32 [items, d].
    rankable
        bool [items]; at least `k` are true.
    queries
        float32 [n, d].

    Returns
    -------
    float32 [n, k]
    """
    items = np.flatnonzero(rankable)
    found = np.full((len(queries), k), -np.inf, np.float32)
    block = max(1, min(BLOCK_ROWS, BLOCK_SCORES // max(len(queries), 1)))
    for start in range(0, len(items), block):
        products = queries @ vectors[items[start : start + block]].T
        better = np.flatnonzero(products.max(axis=1) > found[:, -1])  # after the first blocks these are few
        both = np.concatenate((found[better], products[better]), axis=1)
        found[better] = -np.sort(np.partition(-both, k - 1, axis=1)[:, :k], axis=1)
    return found


def recall_at(wanted: Floats, found: Floats) -> float:
    """Share of the wanted scores that were reached: a found item as good as a wanted one counts, for ties are equal."""
    if not wanted.size:
        return 1.0
    worst = wanted[:, -1:] - 1e-5 * np.maximum(np.abs(wanted[:, -1:]), 1)
    return float((found >= worst).mean())
