"""What each event and each concept adds to a profile and to the likeness of a query and an item: exact sums.

Pure; knows arrays, and how the refiner's last layer makes a query: ``q = norm(h_T + z P)`` with ``P = C G^T`` and
``norm(x) = weight (x - mean x) / deviation + bias``. Once the deviation is known the norm is affine, so ``<q, e>`` is

    sum_k z_k <P_k, w> + <h_T, w> + <bias, e>,    w = (weight e - mean(weight e)) / deviation(h_T + z P)

for every item e, with no remainder. And since ``z_k = (1/T) sum_t p'_t[k]``, a concept's share is a sum over events.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from engine_runtime.artefacts.arrays import load_arrays, save_arrays
from engine_runtime.errors import ArtefactError

Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]
Real = npt.NDArray[Any]


@dataclass(frozen=True)
class QueryHead:
    """How profile and newest state become a query.

    Attributes
    ----------
    pull
        P: float32 [C, d], what a query takes of each concept.
    weight, bias
        Of the norm: float32 [d].
    epsilon
        Added to the variance: float64 [].
    """

    pull: Floats
    weight: Floats
    bias: Floats
    epsilon: Doubles

    def save(self, path: Path) -> None:
        """Write the constants as ``.npz``."""
        save_arrays(self, path)

    @classmethod
    def load(cls, path: Path, n_concepts: int, dim: int) -> QueryHead:
        """Read what `save` wrote.

        Raises
        ------
        ArtefactError
            It is not there, as in bundles of before explanations, or of other sizes.
        """
        if not path.is_file():
            raise ArtefactError(
                f"{path} is missing: the bundle is of an earlier version and can not be explained. Export the run "
                "again, and make its index again."
            )
        head = load_arrays(cls, path, "query head")
        shapes = [array.shape for array in (head.pull, head.weight, head.bias, head.epsilon)]
        if shapes != [(n_concepts, dim), (dim,), (dim,), ()]:
            raise ArtefactError(f"{path} does not fit the refiner beside it. Export the bundle again.")
        return head


@dataclass(frozen=True)
class QueryShares:
    """Shares of ``<q, e>`` for n items; they sum to it.

    Attributes
    ----------
    concepts
        float64 [n, C].
    state
        float64 [n]: of the newest state.
    norm
        float64 [n]: of the norm's bias.
    """

    concepts: Doubles
    state: Doubles
    norm: Doubles


def interest_parts(concepts: Real) -> Doubles:
    """What each event adds to each interest.

    Parameters
    ----------
    concepts
        p'_t of the events that were read: [T, C].

    Returns
    -------
    float64 [T, C]
        ``p'_t / T``; its sum over events is z.
    """
    return concepts.astype(np.float64) / max(1, len(concepts))


def asked_of(head: QueryHead, profile: Real, state: Real, items: Real) -> Doubles:
    """Give w of each item: what a step of the vector before the norm adds to ``<q, e>``, the deviation held.

    Parameters
    ----------
    head
        Of the refiner.
    profile
        z: [C].
    state
        h_T: [d].
    items
        Vectors e: [n, d].

    Returns
    -------
    float64 [n, d]
    """
    before = state + profile.astype(np.float64) @ head.pull
    weighed = items.astype(np.float64) * head.weight
    return np.asarray((weighed - weighed.mean(axis=1, keepdims=True)) / np.sqrt(before.var() + head.epsilon))


def profile_alone(head: QueryHead, profiles: Real) -> Floats:
    """Queries that the profiles alone make, without a newest state: ``norm(z P)``, float32 [n, d].

    Parameters
    ----------
    head
        Of the refiner.
    profiles
        z: [n, C].
    """
    before = profiles.astype(np.float64) @ head.pull
    centred = before - before.mean(axis=1, keepdims=True)
    deviation = np.sqrt(before.var(axis=1, keepdims=True) + head.epsilon)
    return np.asarray(head.weight * centred / deviation + head.bias, np.float32)


def query_shares(head: QueryHead, profile: Real, state: Real, items: Real) -> QueryShares:
    """Take ``<q, e>`` apart; see `asked_of` for the parameters."""
    asked = asked_of(head, profile, state, items)
    moved = asked @ head.pull.T.astype(np.float64)
    return QueryShares(moved * profile, asked @ state.astype(np.float64), items.astype(np.float64) @ head.bias)


def over_events(shares: Doubles, parts: Doubles) -> Doubles:
    """Split shares of concepts over the events that made them.

    Parameters
    ----------
    shares
        float64 [n, C].
    parts
        As `interest_parts` gives them: float64 [T, C].

    Returns
    -------
    float64 [n, T]
        Rows sum to those of `shares`, as a concept of weight 0 has no share.
    """
    weights = parts.sum(axis=0)
    return np.asarray(np.divide(shares, weights, out=np.zeros_like(shares), where=weights > 0) @ parts.T)


def summing_to(total: Doubles, effects: Doubles) -> Doubles:
    """The numbers nearest to `effects` (least squares) that sum to `total`: what is missing, in equal parts.

    Parameters
    ----------
    total
        float64 [n].
    effects
        float64 [n, T].
    """
    missing = total - effects.sum(axis=1)
    return np.asarray(effects + missing[:, None] / max(1, effects.shape[1]))
