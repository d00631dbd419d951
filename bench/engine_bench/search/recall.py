"""How much of what exact search finds was found, and the least breadth that finds enough; knows arrays alone."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from engine_runtime.search.index import ExactIndex, Floats

MOST_BREADTH = 8192
TOLERANCE = 1e-5
"""Of a score, beside 1 or its size: products differ so much by the order of their sums, and equal items are equal."""

BLOCK = 256

ENOUGH = 64
"""A breadth is told to a part in so many: recall moves by less than its own error in between."""


class Yardstick:
    """Exact search of some queries.

    Parameters
    ----------
    items
        float32 [n, d].
    queries
        float32 [q, d].
    k
        How many of the best items are wanted, at most n.
    """

    def __init__(self, items: Floats, queries: Floats, k: int) -> None:
        self._items, self._queries = items, queries
        scores, _ = ExactIndex(items, np.ones(len(items), np.bool_)).search(queries, k)
        self._least = scores[:, -1] - TOLERANCE * np.maximum(np.abs(scores[:, -1]), 1)

    def recall(self, found: npt.NDArray[np.int64]) -> float:
        """Share of the wanted that was found: items, each counted once, that score as well as the last one wanted.

        Parameters
        ----------
        found
            int64 [q, k], -1 where nothing was found. Their scores are worked out here; no contender's are believed.
        """
        good = np.zeros(found.shape, np.bool_)
        for start in range(0, len(found), BLOCK):
            rows = slice(start, start + BLOCK)
            scores = np.einsum("qd,qkd->qk", self._queries[rows], self._items[found[rows]])
            good[rows] = (scores >= self._least[rows, None]) & (found[rows] >= 0)
        order = np.argsort(found, axis=1, kind="stable")
        ordered = np.take_along_axis(found, order, axis=1)
        again = np.zeros(found.shape, np.bool_)
        again[:, 1:] = ordered[:, 1:] == ordered[:, :-1]
        return float((np.take_along_axis(good, order, axis=1) & ~again).mean())


def least_breadth(recall_at: Callable[[int], float], target: float, k: int) -> int | None:
    """The least breadth of a search whose recall is `target`, to 1 in `ENOUGH`: doubled from `k`, halved in between.

    Parameters
    ----------
    recall_at
        Recall at a breadth; it need not grow with every step, but is taken to.
    target
        Recall to reach.
    k
        Items found, below which no breadth goes.

    Returns
    -------
    int or None
        None where even `MOST_BREADTH` is not enough.
    """
    below, breadth = k - 1, k
    while recall_at(breadth) < target:
        below, breadth = breadth, min(2 * breadth, MOST_BREADTH)
        if below == MOST_BREADTH:
            return None
    while breadth - below > max(1, breadth // ENOUGH):
        middle = (below + breadth) // 2
        below, breadth = (below, middle) if recall_at(middle) >= target else (middle, breadth)
    return breadth
