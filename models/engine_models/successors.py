"""Counting the successor table: what came after what in the training part.

Knows sparse matrices; knows nothing of models. The rule is item-to-item counting with decay over the distance, as in
the sequential rules of Ludewig and Jannach (arXiv 1803.09587), columns damped by popularity.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import scipy.sparse

from engine_runtime.search.successors import SuccessorTable

Ints = npt.NDArray[np.int64]

WINDOW = 50
TOP_SUCCESSORS = 50
TOP_POPULAR = 200
DAMPING = 0.1


def count_successors(
    items: npt.NDArray[np.int32], offsets: Ints, n_items: int, damping: float = DAMPING
) -> scipy.sparse.csr_matrix:
    """Weights from each item to those that followed it.

    ``w[i, j] = sum over pairs of 1 / distance, divided by popularity(j) ** damping``, pairs at most `WINDOW` apart.

    Parameters
    ----------
    items
        int32 [events], one user after another.
    offsets
        int64 [users + 1].
    n_items
        Size of the catalogue.
    damping
        Exponent on popularity.
    """
    stop = np.repeat(offsets[1:], np.diff(offsets))
    places = np.arange(len(items))
    total = scipy.sparse.csr_matrix((n_items, n_items), dtype=np.float64)
    for distance in range(1, min(WINDOW, int(np.diff(offsets).max(initial=0)) - 1) + 1):
        first = places[places + distance < stop]
        pairs = (np.full(len(first), 1 / distance), (items[first], items[first + distance]))
        total = total + scipy.sparse.csr_matrix(pairs, shape=(n_items, n_items))
    popularity = np.maximum(np.bincount(items, minlength=n_items), 1)
    damped = total.multiply(1 / popularity[None, :] ** damping).tocsr()
    damped.sort_indices()
    return damped


def successor_table(counts: scipy.sparse.csr_matrix, popularity: Ints) -> SuccessorTable:
    """The strongest successors of each item, and the most popular items as the start row.

    Parameters
    ----------
    counts
        As `count_successors` gives them.
    popularity
        int64 [items]: events of each item in the training part.
    """
    rows = np.repeat(np.arange(counts.shape[0]), np.diff(counts.indptr))
    order = np.lexsort((counts.indices, -counts.data, rows))
    place = np.arange(len(order)) - counts.indptr[rows[order]]
    kept = order[place < TOP_SUCCESSORS]
    popular = np.argsort(-popularity, kind="stable")[:TOP_POPULAR]
    popular = popular[popularity[popular] > 0]
    sizes = np.concatenate((np.bincount(rows[kept], minlength=counts.shape[0]), [len(popular)]))
    return SuccessorTable(
        offsets=np.concatenate(([0], np.cumsum(sizes))).astype(np.int64),
        items=np.concatenate((counts.indices[kept], popular)).astype(np.int32),
        weights=np.concatenate((counts.data[kept], popularity[popular])).astype(np.float32),
    )
