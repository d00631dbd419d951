"""One ranking from the search on the query vector and the successor table.

Pure but for the index it is given; knows item numbers and scores, nothing of items' names. What a user gets does not
depend on who else is in the batch: every step works with the user's own numbers.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from engine_runtime.artefacts.run import Fusion
from engine_runtime.search.index import Floats, Index, Items
from engine_runtime.search.successors import SuccessorTable

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
BLOCK_USERS = 1024
BLOCK_PAIRS = 16_384


@dataclass(frozen=True)
class Seen:
    """Items that users have met, one user after another, oldest first.

    Attributes
    ----------
    offsets
        int64 [users + 1].
    items
        int32 [events].
    """

    offsets: Ints
    items: Items


@dataclass(frozen=True)
class Ranking:
    """Best items of each user.

    Attributes
    ----------
    items
        int32 [users, k], -1 where there are fewer.
    scores
        float32 [users, k], falling; ``-inf`` beside -1.
    """

    items: Items
    scores: Floats


@dataclass(frozen=True)
class _Pairs:
    """Candidates: (user, item) as one key, sorted, with a number each."""

    keys: Ints
    values: npt.NDArray[np.float64]


def rank(
    query: Floats, seen: Seen, index: Index, table: SuccessorTable, fusion: Fusion, k: int, new: Bools | None = None
) -> Ranking:
    """Rank items for each user, leaving out those seen.

    ``score = <query, vector> + weight * log(1 + rule / floor) + bonus``, see `engine_runtime.artefacts.run.Fusion`. A
    user without a query is ranked by the table's start row alone; one with a query, but without items in `seen`, has
    it for a rule.

    Parameters
    ----------
    query
        As `wide_queries` gives them, as wide as the index's vectors; zero for a user of whom no event could be read.
    seen
        Their items.
    index
        Over the catalogue that `seen` and `table` number.
    table
        The successor table.
    fusion
        How to fuse.
    k
        Items a user.
    new
        bool [items]: which items have the bonus; none if None.
    """
    shift = np.zeros(len(index.vectors)) if new is None else np.where(new, fusion.bonus, 0.0)
    items = np.full((len(query), k), -1, np.int32)
    scores = np.full((len(query), k), -np.inf, np.float32)
    breadth = search_breadth(np.diff(seen.offsets), max(fusion.n_candidates, k))
    for width in np.unique(breadth):
        users = np.flatnonzero(breadth == width)
        for start in range(0, len(users), BLOCK_USERS):
            block = users[start : start + BLOCK_USERS]
            found = _rank_block(query[block], _take(seen, block), index, table, fusion, int(width), k, shift)
            items[block], scores[block] = found.items, found.scores
    return Ranking(items, scores)


def wide_queries(query: Floats, seen: Seen, directions: Floats, fusion: Fusion) -> Floats:
    """Queries that ask for likeness of texts too.

    Parameters
    ----------
    query
        q_u: float32 [users, d].
    seen
        Their items, oldest first.
    directions
        float32 [items, w]: unit directions of whitened texts.
    fusion
        Its weight, decay and number of newest events.

    Returns
    -------
    float32 [users, d + w]
        Zero where `query` is: of such a user no order is known.
    """
    wide = np.zeros((len(query), query.shape[1] + directions.shape[1]), np.float32)
    wide[:, : query.shape[1]] = query
    lengths = np.diff(seen.offsets)
    asking = np.flatnonzero(query.any(axis=1) & (lengths > 0)) if fusion.text_weight else np.zeros(0, np.int64)
    total = np.zeros((len(asking), 1), np.float32)
    likeness = np.zeros((len(asking), directions.shape[1]), np.float32)
    for age in range(min(fusion.n_events, int(lengths[asking].max(initial=0)))):
        old = np.flatnonzero(lengths[asking] > age)
        factor = np.float32(fusion.text_decay**age)
        likeness[old] += factor * directions[seen.items[seen.offsets[asking[old] + 1] - 1 - age]]
        total[old] += factor
    wide[asking, query.shape[1] :] = fusion.text_weight * likeness / np.maximum(total, 1e-30)
    return wide


def search_breadth(n_seen: Ints, n_candidates: int) -> Ints:
    """How many items to search for, so that enough are left when those seen are taken out.

    The number of seen items is rounded up to a power of two: few breadths, and each a function of the user alone.
    """
    rounded = 1 << np.ceil(np.log2(np.maximum(n_seen, 1))).astype(np.int64)
    return n_candidates + np.where(n_seen > 0, rounded, 0)


def _take(seen: Seen, users: Ints) -> Seen:
    counts = seen.offsets[users + 1] - seen.offsets[users]
    offsets = np.concatenate(([0], np.cumsum(counts))).astype(np.int64)
    entries = np.repeat(seen.offsets[users] - offsets[:-1], counts) + np.arange(offsets[-1])
    return Seen(offsets, seen.items[entries])


def _rank_block(
    query: Floats,
    seen: Seen,
    index: Index,
    table: SuccessorTable,
    fusion: Fusion,
    width: int,
    k: int,
    shift: npt.NDArray[np.float64],
) -> Ranking:
    n_items = len(index.vectors)
    n_users = len(query)
    known = np.asarray(query.any(axis=1), np.bool_)
    met = np.unique(np.repeat(np.arange(n_users), np.diff(seen.offsets)) * n_items + seen.items)
    found = _search(query, known, index, met, width, max(fusion.n_candidates, k))
    rule = _rule(seen, known, index, table, fusion, met)
    further = np.setdiff1d(rule.keys, found.keys, assume_unique=True)
    products = _products(query, index.vectors, further)
    keys = np.concatenate((found.keys, further))
    score = np.concatenate((found.values, products.astype(np.float64)))
    weight = np.where(known, fusion.weight, 1.0)
    by_key = np.argsort(keys)
    place = by_key[np.searchsorted(keys, rule.keys, sorter=by_key)]
    score[place] += weight[rule.keys // n_items] * np.log1p(rule.values / fusion.floor)
    score += np.where(known[keys // n_items], shift[keys % n_items], 0.0)
    return _top(keys, score, n_items, n_users, k)


def _products(query: Floats, vectors: Floats, keys: Ints) -> Floats:
    """Inner product of each pair ``user * items + item``, a piece at a time: two rows a pair are much to hold."""
    products = np.empty(len(keys), np.float32)
    for start in range(0, len(keys), BLOCK_PAIRS):
        users, items = np.divmod(keys[start : start + BLOCK_PAIRS], len(vectors))
        np.einsum("nd,nd->n", query[users], vectors[items], out=products[start : start + BLOCK_PAIRS])
    return products


def _search(query: Floats, known: Bools, index: Index, met: Ints, width: int, n_candidates: int) -> _Pairs:
    """The `n_candidates` best unseen items of each user with a query, with their inner products."""
    n_items = len(index.vectors)
    scores, items = index.search(query, min(width, int(index.rankable.sum())))
    keys = np.arange(len(query))[:, None] * n_items + items
    fresh = (items >= 0) & known[:, None] & ~_among(keys, met)
    fresh &= np.cumsum(fresh, axis=1) <= n_candidates
    return _Pairs(keys[fresh], scores[fresh].astype(np.float64))


def _rule(seen: Seen, known: Bools, index: Index, table: SuccessorTable, fusion: Fusion, met: Ints) -> _Pairs:
    """Decayed sum of the rows of each user's newest events, over unseen rankable items.

    The start row is that of users without events, and of those without a query.
    """
    n_items = len(index.vectors)
    lengths = np.diff(seen.offsets)
    age = np.repeat(seen.offsets[1:], lengths) - 1 - np.arange(seen.offsets[-1])
    owner = np.repeat(np.arange(len(lengths)), lengths)
    newest = (age < fusion.n_events) & (fusion.weight > 0) & known[owner]
    empty = np.flatnonzero(~known | (lengths == 0))
    rows = np.concatenate((seen.items[newest], np.full(len(empty), table.start_row))).astype(np.int64)
    factors = np.concatenate((fusion.decay ** age[newest].astype(np.float64), np.ones(len(empty))))
    owners = np.concatenate((owner[newest], empty))
    which, items, weights = table.lookup(rows)
    keys, position = np.unique(owners[which] * n_items + items, return_inverse=True)
    values = np.bincount(position, weights * factors[which], len(keys))
    kept = index.rankable[keys % n_items] & ~_among(keys, met)
    keys, values = keys[kept], values[kept]
    return _Pairs(keys, values)


def _among(keys: Ints, sorted_keys: Ints) -> Bools:
    if not len(sorted_keys):
        return np.zeros(keys.shape, np.bool_)
    place = np.minimum(np.searchsorted(sorted_keys, keys), len(sorted_keys) - 1)
    return np.asarray(sorted_keys[place] == keys)


def _top(keys: Ints, score: npt.NDArray[np.float64], n_items: int, n_users: int, k: int) -> Ranking:
    order = np.lexsort((keys, -score, keys // n_items))
    owners = keys[order] // n_items
    place = np.arange(len(order)) - np.searchsorted(owners, owners)
    kept = place < k
    items = np.full((n_users, k), -1, np.int32)
    scores = np.full((n_users, k), -np.inf, np.float32)
    items[owners[kept], place[kept]] = (keys[order] % n_items)[kept]
    scores[owners[kept], place[kept]] = score[order][kept]
    return Ranking(items, scores)
