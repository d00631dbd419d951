"""Fitting the fusion of two rankings on the validation events; knows arrays and the runtime's own ranking.

What is fitted is what serves: the same function ranks here and there.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from engine_models.metrics import DEPTH, Doubles, per_user, places
from engine_runtime.artefacts.run import Fusion
from engine_runtime.search.fusion import Seen, rank, wide_queries
from engine_runtime.search.index import Index
from engine_runtime.search.successors import SuccessorTable

WEIGHTS = (0.25, 0.5, 1.0, 1.5, 2.0)
DECAYS = (0.5, 0.7, 0.9)
TEXT_WEIGHTS = (2.0, 4.0, 6.0, 9.0, 13.0, 18.0)
TEXT_DECAYS = (0.5, 0.7, 0.9)
N_EVENTS = 20
N_CANDIDATES = 200
BONUSES = tuple(np.arange(0, 6.1, 0.25).tolist())
MOST_LOST = 0.02
"""Share of the other items' NDCG@10 that new items may cost."""


@dataclass(frozen=True)
class Questions:
    """Users whose next item is known.

    Attributes
    ----------
    query
        q_u: float32 [users, d].
    seen
        What they have met.
    directions
        float32 [items, w]: of whitened texts.
    targets
        int32 [users]: the item that came next.
    """

    query: npt.NDArray[np.float32]
    seen: Seen
    directions: npt.NDArray[np.float32]
    targets: npt.NDArray[np.int32]

    def ranked(
        self,
        index: Index,
        table: SuccessorTable,
        fusion: Fusion,
        k: int = DEPTH,
        new: npt.NDArray[np.bool_] | None = None,
    ) -> dict[str, Doubles]:
        """Metrics of each user, float64 [users] each, by a fusion over an index whose vectors end in the directions."""
        wide = wide_queries(self.query, self.seen, self.directions, fusion)
        return per_user(places(rank(wide, self.seen, index, table, fusion, k, new).items, self.targets))


def fit_fusion(questions: Questions, index: Index, table: SuccessorTable) -> tuple[Fusion, dict[str, float]]:
    """The fusion with the best NDCG@10, and all metrics with it and with the model alone.

    Rule and texts are fitted in turn, each with the other as it stands, and the rule's weight once more at the end.

    Returns
    -------
    fusion : Fusion
        Its bonus is 0.
    metrics : dict
        By name; those of the model alone begin with ``model_``.
    """
    tried: dict[Fusion, dict[str, float]] = {}

    def ndcg(fusion: Fusion) -> float:
        if fusion not in tried:
            values = questions.ranked(index, table, fusion)
            tried[fusion] = {name: float(value.mean()) if len(value) else 0.0 for name, value in values.items()}
        return tried[fusion]["ndcg@10"]

    alone = Fusion(0.0, DECAYS[0], N_EVENTS, N_CANDIDATES)
    rules = [alone, *(replace(alone, weight=w, decay=d) for w, d in itertools.product(WEIGHTS, DECAYS))]
    best = max(rules, key=ndcg)
    texts = [replace(best, text_weight=w, text_decay=d) for w, d in itertools.product(TEXT_WEIGHTS, TEXT_DECAYS)]
    best = max([best, *texts], key=ndcg)
    best = max([best, replace(best, weight=0.0), *(replace(best, weight=w) for w in WEIGHTS)], key=ndcg)
    return best, tried[best] | {f"model_{name}": value for name, value in tried[alone].items()}


def fit_bonus(
    questions: Questions, index: Index, table: SuccessorTable, fusion: Fusion, new: npt.NDArray[np.bool_]
) -> Fusion:
    """The fusion with the largest bonus for which the other items lose no more than `MOST_LOST` of their NDCG@10.

    New items compete with trained ones that the softmax has pushed up where they belong; without help they are never
    shown, with too much of it they crowd the lists. Few users are asked for new items, so what is held is the cost.

    Parameters
    ----------
    questions
        Users whose next item is known, some of them new ones.
    index, table
        In which the items of `new` are new.
    fusion
        Fitted already.
    new
        bool [items].
    """
    others = ~new[questions.targets]
    if not others.any() or not new.any():
        return fusion

    def ndcg(bonus: float) -> float:
        gains = questions.ranked(index, table, replace(fusion, bonus=bonus), 10, new)["ndcg@10"]
        return float(gains[others].mean())

    least = (1 - MOST_LOST) * ndcg(-np.inf)
    affordable = itertools.takewhile(lambda bonus: ndcg(bonus) >= least, BONUSES)
    return replace(fusion, bonus=max(affordable, default=0.0))
