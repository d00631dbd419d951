"""One ranking from the search on the query vector and the successor table.

Pure but for the index it is given; knows item numbers and scores, nothing of items' names. What a user gets does not
depend on who else is in the batch: every step works with the user's own numbers.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from engine_runtime.artefacts.run import Fusion
from engine_runtime.search.index import Asked, Floats, Index, Items
from engine_runtime.search.order import SCORE_BITS, fallen, falling, summed
from engine_runtime.search.successors import SuccessorTable

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
BLOCK_PAIRS = 3 << 19
"""Users times items that are ranked at a time: their scores and states stay in the cache."""
MOST_USERS, LEAST_USERS = 256, 64
FREE, MET, RULED = np.uint8(0), np.uint8(1), np.uint8(2)


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
class _Task:
    """What is the same for all users.

    Attributes
    ----------
    index, table, fusion, k
        As in `rank`.
    new
        bool [items]: has the bonus.
    state
        uint8 [users of a block * items]: what is known of a pair while its block is ranked; `FREE` between blocks.
    """

    index: Index
    table: SuccessorTable
    fusion: Fusion
    k: int
    new: Bools
    state: npt.NDArray[np.uint8]

    @property
    def n_items(self) -> int:
        return len(self.index.vectors)


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
    n_items = len(index.vectors)
    block_users = users_a_block(n_items)
    state = np.full(min(block_users, len(query)) * n_items, FREE)
    task = _Task(index, table, fusion, k, np.zeros(n_items, np.bool_) if new is None else new, state)
    items = np.full((len(query), k), -1, np.int32)
    scores = np.full((len(query), k), -np.inf, np.float32)
    breadth = np.where(query.any(axis=1), search_breadth(np.diff(seen.offsets), max(fusion.n_candidates, k)), 0)
    order = index.order(query)
    for width in np.unique(breadth):
        users = order[breadth[order] == width]
        for start in range(0, len(users), block_users):
            block = users[start : start + block_users]
            items[block], scores[block] = _rank_block(task, query[block], _take(seen, block), int(width))
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


def users_a_block(n_items: int) -> int:
    """How many users are ranked at a time; no more than leave room in 63 bits for a user, a score and an item."""
    wanted = min(MOST_USERS, max(LEAST_USERS, BLOCK_PAIRS // max(1, n_items)))
    return int(min(wanted, 1 << (63 - SCORE_BITS - n_items.bit_length())))


def _take(seen: Seen, users: Ints) -> Seen:
    counts = seen.offsets[users + 1] - seen.offsets[users]
    offsets = np.concatenate(([0], np.cumsum(counts))).astype(np.int64)
    entries = np.repeat(seen.offsets[users] - offsets[:-1], counts) + np.arange(offsets[-1])
    return Seen(offsets, seen.items[entries])


def _rank_block(task: _Task, query: Floats, seen: Seen, width: int) -> tuple[Items, Floats]:
    """Items and scores of some users, all of one breadth of search; 0 is that of users without a query."""
    n_items, fusion = task.n_items, task.fusion
    met = np.repeat(np.arange(len(query)) * n_items, np.diff(seen.offsets)) + seen.items
    keys, counts = _rule(task, seen, known=width > 0)
    task.state[met] = MET
    kept = (task.state[keys] == FREE) & task.index.rankable[keys % n_items]
    keys, counts = keys[kept], counts[kept]
    task.state[keys] = RULED
    score = np.log1p(counts / fusion.floor)
    if width:
        asked = task.index.ask(query)
        score = fusion.weight * score + asked.products(*np.divmod(keys, n_items))
        found, products = _search(task, asked, width)
        task.state[keys] = FREE
        keys, score = np.concatenate((keys, found)), np.concatenate((score, products))
        if task.new.any():
            score += np.where(task.new[keys % n_items], fusion.bonus, 0.0)
    task.state[keys] = FREE
    task.state[met] = FREE
    return _top(task, keys, score.astype(np.float32), len(query))


def _rule(task: _Task, seen: Seen, known: bool) -> tuple[Ints, npt.NDArray[np.float64]]:
    """Decayed sum of the rows of each user's newest events: pairs ``user * items + item``, rising, and their sums.

    The start row is that of users without events, and of those without a query.
    """
    fusion, table = task.fusion, task.table
    lengths = np.diff(seen.offsets)
    used = np.minimum(lengths, fusion.n_events if known and fusion.weight > 0 else 0)
    age = np.repeat(np.cumsum(used), used) - 1 - np.arange(used.sum())
    newest = np.repeat(seen.offsets[1:], used) - 1 - age
    starting = np.flatnonzero(lengths == 0) if known else np.arange(len(lengths))
    rows = np.concatenate((seen.items[newest].astype(np.int64), np.full(len(starting), table.start_row)))
    factors = np.concatenate((fusion.decay ** age.astype(np.float64), np.ones(len(starting))))
    owners = np.concatenate((np.repeat(np.arange(len(lengths)), used), starting))
    which, items, weights = table.lookup(rows)
    return summed((owners * task.n_items)[which] + items, factors[which] * weights)


def _search(task: _Task, asked: Asked, width: int) -> tuple[Ints, Floats]:
    """Pairs that the search adds to those of the rule, and their inner products.

    Of a user's `n_candidates` best unseen items that the rule does not name, the first k old ones will do: before any
    other stand k that the rule and the bonus leave where they are or raise. New ones may rise above those.
    """
    scores, items = asked.best(min(width, int(task.index.rankable.sum())))
    keys = np.arange(len(items))[:, None] * task.n_items + items
    state = task.state[keys]
    unseen = (state != MET) & (items >= 0)
    unseen &= np.cumsum(unseen, axis=1) <= max(task.fusion.n_candidates, task.k)
    free = unseen & (state == FREE)
    new = task.new[items]
    free &= new | (np.cumsum(free & ~new, axis=1) <= task.k)
    return keys[free], scores[free]


def _top(task: _Task, keys: Ints, score: Floats, n_users: int) -> tuple[Items, Floats]:
    """The k best of each user, equal ones by item number: a user, a score and an item in one number, sorted."""
    bits = task.n_items.bit_length()
    owners, own_items = np.divmod(keys, task.n_items)
    packed = (owners << SCORE_BITS | falling(score)) << bits | own_items
    packed.sort()
    first = np.searchsorted(packed, np.arange(n_users + 1) << (SCORE_BITS + bits))
    place = first[:-1, None] + np.arange(task.k)
    there = place < first[1:, None]
    items = np.full(place.shape, -1, np.int32)
    scores = np.full(place.shape, -np.inf, np.float32)
    taken = packed[place[there]]
    items[there] = taken & ((1 << bits) - 1)
    scores[there] = fallen(taken >> bits & ((1 << SCORE_BITS) - 1))
    return items, scores
