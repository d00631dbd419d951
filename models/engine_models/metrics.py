"""Ranking metrics for one target a user, and their bootstrap intervals; pure NumPy, knows nothing of models."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Doubles = npt.NDArray[np.float64]

DEPTH = 100
"""Length of the lists that are judged; a target below it counts as not found."""

NAMES = ("recall@5", "recall@10", "recall@20", "ndcg@5", "ndcg@10", "ndcg@20", "mrr@100")


@dataclass(frozen=True)
class Estimate:
    """A mean over users with its 95 % interval."""

    mean: float
    low: float
    high: float


def places(lists: npt.NDArray[np.int32], targets: npt.NDArray[np.int32]) -> Ints:
    """Place of each target in its list, from 0; `DEPTH` where it is not there.

    Parameters
    ----------
    lists
        int32 [users, depth]; -1 is nothing.
    targets
        int32 [users].
    """
    hit = lists[:, :DEPTH] == targets[:, None]
    return np.where(hit.any(1), hit.argmax(1), DEPTH)


def per_user(place: Ints) -> dict[str, Doubles]:
    """Every metric of every user, float64 [users] each, from the places of their targets.

    With one relevant item, Recall@k is the hit rate and NDCG@k is ``1 / log2(place + 2)`` within the first k.
    """
    gain = 1 / np.log2(place + 2)
    values: dict[str, Doubles] = {}
    for k in (5, 10, 20):
        values[f"recall@{k}"] = (place < k).astype(np.float64)
        values[f"ndcg@{k}"] = np.where(place < k, gain, 0)
    values[f"mrr@{DEPTH}"] = np.where(place < DEPTH, 1 / (place + 1), 0)
    return {name: values[name] for name in NAMES}


def estimate(values: Doubles, seed: int = 0, resamples: int = 1000) -> Estimate:
    """Mean with the 2.5th and 97.5th percentile of its bootstrap over users.

    Given the differences of two systems user by user, it is the paired bootstrap.
    """
    if not len(values):
        return Estimate(0.0, 0.0, 0.0)
    generator = np.random.default_rng(seed)
    means = [values[generator.integers(0, len(values), len(values))].mean() for _ in range(resamples)]
    low, high = np.percentile(means, (2.5, 97.5))
    return Estimate(float(values.mean()), float(low), float(high))
