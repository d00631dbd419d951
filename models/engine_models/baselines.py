"""What a model has to beat: the popular items, and counted successions with decay. Pure NumPy and SciPy.

The counting rules are strong: on Amazon Beauty they pass most published neural models (docs/log.md). They see the whole
table, and their two dials are chosen on the validation events.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import scipy.sparse

from engine_models.metrics import DEPTH, per_user, places
from engine_models.split import Ints
from engine_runtime.search.fusion import Seen
from engine_runtime.search.order import best

Lists = npt.NDArray[np.int32]
DAMPINGS = (0.1, 0.25, 0.5)
DECAYS = (0.5, 0.65, 0.8, 0.9)
TEXT_WEIGHTS = (0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4)
NEAR_DECAY = 0.5
NEWEST = 20
BLOCK_USERS = 512


@dataclass(frozen=True)
class Rules:
    """Counted successions ready to rank.

    Attributes
    ----------
    table
        float64 [items, items]; see `engine_models.successors.count_successors`, without damping.
    popularity
        int64 [items].
    rankable
        bool [items].
    damping, decay
        Exponent on popularity; factor from one event to the one before it.
    """

    table: scipy.sparse.csr_matrix
    popularity: Ints
    rankable: npt.NDArray[np.bool_]
    damping: float
    decay: float

    def rank(self, seen: Seen) -> Lists:
        """The `DEPTH` best unseen items of each user: int32 [users, DEPTH]."""
        lists = []
        for start in range(0, len(seen.offsets) - 1, BLOCK_USERS):
            users = slice(start, start + BLOCK_USERS)
            lists.append(_best_unseen(self.scores(seen, users), seen, users, self.rankable))
        return np.concatenate(lists)

    def scores(self, seen: Seen, users: slice) -> npt.NDArray[np.float32]:
        """Scores of all items for a block of users: float32 [users, items]."""
        scale = 1 / np.maximum(self.popularity, 1) ** self.damping
        recent = _recent(seen, users, self.decay, self.table.shape[0])
        return (np.asarray((recent @ self.table).todense()) * scale).astype(np.float32)


@dataclass(frozen=True)
class TextRules:
    """Counted successions, and likeness in words to what a user met.

    Attributes
    ----------
    rules
        Their decay is that of the likeness too.
    text
        float32 [items, w], of unit length: whitened text vectors.
    weight
        Of the cosine between an item's text and the decayed sum of the history's.
    """

    rules: Rules
    text: npt.NDArray[np.float32]
    weight: float

    def rank(self, seen: Seen) -> Lists:
        """The `DEPTH` best unseen items of each user: int32 [users, DEPTH]."""
        lists = []
        for start in range(0, len(seen.offsets) - 1, BLOCK_USERS):
            users = slice(start, start + BLOCK_USERS)
            recent = _recent(seen, users, self.rules.decay, len(self.text))
            met = _unit(np.asarray(recent @ self.text, np.float32))
            scores = self.rules.scores(seen, users) + np.float32(self.weight) * (met @ self.text.T)
            lists.append(_best_unseen(scores, seen, users, self.rules.rankable))
        return np.concatenate(lists)


def fit_rules(
    table: scipy.sparse.csr_matrix,
    popularity: Ints,
    rankable: npt.NDArray[np.bool_],
    seen: Seen,
    targets: npt.NDArray[np.int32],
) -> Rules:
    """The rules whose dials have the best NDCG@10 on `targets`, validation events of the users of `seen`."""
    tried = [Rules(table, popularity, rankable, *dials) for dials in itertools.product(DAMPINGS, DECAYS)]
    return max(tried, key=lambda rules: _judge(rules.rank(seen), targets))


def fit_text_rules(
    rules: Rules, text: npt.NDArray[np.float32], seen: Seen, targets: npt.NDArray[np.int32]
) -> TextRules:
    """The rules with that weight of the texts, float32 [items, w], that ranks `targets` best; see `fit_rules`."""
    tried = [TextRules(rules, _unit(text), weight) for weight in TEXT_WEIGHTS]
    return max(tried, key=lambda reading: _judge(reading.rank(seen), targets))


def _judge(lists: Lists, targets: npt.NDArray[np.int32]) -> float:
    return float(per_user(places(lists, targets))["ndcg@10"].mean())


def _unit(vectors: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    return np.asarray(vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12), np.float32)


def rank_popular(popularity: Ints, rankable: npt.NDArray[np.bool_], seen: Seen) -> Lists:
    """The most popular unseen items of each user: int32 [users, DEPTH]."""
    scores = popularity.astype(np.float32)
    blocks = range(0, len(seen.offsets) - 1, BLOCK_USERS)
    lists = []
    for start in blocks:
        users = slice(start, start + BLOCK_USERS)
        count = len(seen.offsets[users.start : users.stop + 1]) - 1
        lists.append(_best_unseen(np.tile(scores, (count, 1)), seen, users, rankable))
    return np.concatenate(lists)


def rank_near(vectors: npt.NDArray[np.float32], rankable: npt.NDArray[np.bool_], seen: Seen) -> Lists:
    """The unseen items nearest to what each user met last: int32 [users, DEPTH].

    Parameters
    ----------
    vectors
        float32 [items, d], such as whitened text vectors; a user is the mean of the newest ones, decaying with age.
    rankable
        bool [items].
    seen
        What the users have met.
    """
    lists = []
    for start in range(0, len(seen.offsets) - 1, BLOCK_USERS):
        users = slice(start, start + BLOCK_USERS)
        queries = (_recent(seen, users, NEAR_DECAY, len(vectors)) @ vectors).astype(np.float32)
        lists.append(_best_unseen(queries @ vectors.T, seen, users, rankable))
    return np.concatenate(lists)


def _recent(seen: Seen, users: slice, decay: float, n_items: int) -> scipy.sparse.csr_matrix:
    """Weights of the newest items of a block of users: [users, items], 1 for the last one, falling with age."""
    offsets = seen.offsets[users.start : users.stop + 1]
    events = np.arange(offsets[0], offsets[-1])
    lengths = np.diff(offsets)
    age = np.repeat(offsets[1:], lengths) - 1 - events
    newest = age < NEWEST
    rows = np.repeat(np.arange(len(lengths)), lengths)[newest]
    entries = (decay ** age[newest], (rows, seen.items[events[newest]]))
    return scipy.sparse.csr_matrix(entries, shape=(len(lengths), n_items))


def _best_unseen(scores: npt.NDArray[np.float32], seen: Seen, users: slice, rankable: npt.NDArray[np.bool_]) -> Lists:
    offsets = seen.offsets[users.start : users.stop + 1]
    rows = np.repeat(np.arange(len(scores)), np.diff(offsets))
    scores[rows, seen.items[offsets[0] : offsets[-1]]] = -np.inf
    scores[:, ~rankable] = -np.inf
    depth = min(DEPTH, scores.shape[1])
    columns, values = best(scores, depth)
    lists = np.full((len(scores), DEPTH), -1, np.int32)
    lists[:, :depth] = np.where(np.isfinite(values), columns, -1)
    return lists
