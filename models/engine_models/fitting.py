"""Fitting the fusion of two rankings on the validation events; knows arrays and the runtime's own ranking.

What is fitted is what serves: the same function ranks here and there.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from engine_models.metrics import DEPTH, per_user, places
from engine_runtime.artefacts.run import Fusion
from engine_runtime.search.fusion import Seen, rank
from engine_runtime.search.index import Index
from engine_runtime.search.successors import SuccessorTable

WEIGHTS = (0.0, 0.25, 0.5, 1.0, 2.0)
DECAYS = (0.5, 0.7, 0.9)
N_EVENTS = 20
N_CANDIDATES = 200


@dataclass(frozen=True)
class Questions:
    """Users whose next item is known.

    Attributes
    ----------
    query
        q_u: float32 [users, d].
    seen
        What they have met.
    targets
        int32 [users]: the item that came next.
    """

    query: npt.NDArray[np.float32]
    seen: Seen
    targets: npt.NDArray[np.int32]


def fit_fusion(questions: Questions, index: Index, table: SuccessorTable) -> tuple[Fusion, dict[str, float]]:
    """The fusion with the best NDCG@10, and all metrics with it and without the rule.

    Returns
    -------
    fusion : Fusion
    metrics : dict
        By name; those of the model alone begin with ``model_``.
    """
    tried: dict[Fusion, dict[str, float]] = {}
    for weight, decay in itertools.product(WEIGHTS, DECAYS):
        if weight == 0 and decay != DECAYS[0]:
            continue  # without the rule its decay says nothing
        fusion = Fusion(weight, decay, N_EVENTS, N_CANDIDATES)
        lists = rank(questions.query, questions.seen, index, table, fusion, DEPTH).items
        values = per_user(places(lists, questions.targets))
        tried[fusion] = {name: float(value.mean()) if len(value) else 0.0 for name, value in values.items()}
    best = max(tried, key=lambda fusion: tried[fusion]["ndcg@10"])
    alone = next(metrics for fusion, metrics in tried.items() if fusion.weight == 0)
    return best, tried[best] | {f"model_{name}": value for name, value in alone.items()}
