"""Profiles as users correct them, and the queries that follow from them. Pure; knows arrays alone.

With f the factors of a user (0 of a masked concept, 1 where nothing is said) and a the weights that they add::

    z' = (1 - sum a) (z f) / sum(z f) + a,        q' = norm(h_T + z' P)

and P of `engine_runtime.profile.contributions`. Where nothing is left of z, what is added is the whole profile:
``z' = a / sum a``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from engine_runtime.artefacts.overlay import Kind
from engine_runtime.profile.contributions import QueryHead

Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Items = npt.NDArray[np.int32]
Real = npt.NDArray[Any]

BLOCK_ITEMS = 1 << 14
"""Items that are compared with all centres at a time."""
Known = tuple[int, Kind, float]
"""A correction of a concept that is known: its number, the kind and the amount."""


@dataclass(frozen=True)
class Amounts:
    """Corrections of U users, concept by concept.

    Attributes
    ----------
    factors
        float64 [U, C].
    added
        float64 [U, C].
    masked
        bool [U, C]: items of such a concept are not recommended.
    """

    factors: Doubles
    added: Doubles
    masked: Bools

    def __len__(self) -> int:
        """Count the users."""
        return len(self.factors)

    def take(self, rows: npt.ArrayLike) -> Amounts:
        """Those of some of the users, in that order."""
        chosen = np.asarray(rows)
        return Amounts(self.factors[chosen], self.added[chosen], self.masked[chosen])


def amounts_of(users: Sequence[Sequence[Known]], n_concepts: int) -> Amounts:
    """What users say, as arrays for `n_concepts` concepts."""
    shape = (len(users), n_concepts)
    found = Amounts(np.ones(shape), np.zeros(shape), np.zeros(shape, np.bool_))
    for user, corrections in enumerate(users):
        for concept, kind, amount in corrections:
            if kind == "add":
                found.added[user, concept] = amount
            else:
                found.factors[user, concept] = amount
                found.masked[user, concept] = kind == "mask"
    return found


def parts_of_profile(profile: Real, amounts: Amounts) -> tuple[Doubles, Doubles]:
    """How a corrected profile hangs on the one that events made: ``z' = factor z + stated``.

    Parameters
    ----------
    profile
        z: [U, C].
    amounts
        Of the same users.

    Returns
    -------
    factor, stated : float64 [U, C]
    """
    total = (profile.astype(np.float64) * amounts.factors).sum(axis=1, keepdims=True)
    added = amounts.added.sum(axis=1, keepdims=True)
    left = total > 0
    kept = np.where(left, (1 - np.minimum(added, 1)) / np.where(left, total, 1.0), 0.0)
    return amounts.factors * kept, amounts.added / np.where(left | (added <= 0), 1.0, added)


def corrected_profile(profile: Real, amounts: Amounts) -> Floats:
    """Corrected profiles, z': float32 [U, C]; see `parts_of_profile`."""
    factor, stated = parts_of_profile(profile, amounts)
    return np.asarray(factor * profile + stated, np.float32)


def corrected_query(head: QueryHead, profile: Real, state: Real) -> Floats:
    """Queries that follow from corrected profiles, q'.

    Parameters
    ----------
    head
        Of the refiner.
    profile
        z': [U, C].
    state
        h_T: [U, d].

    Returns
    -------
    float32 [U, d]
    """
    # `einsum`: what a user gets does not depend on how many others are asked for
    before = state.astype(np.float64) + np.einsum("uc,cd->ud", profile.astype(np.float64), head.pull)
    centred = before - before.mean(axis=1, keepdims=True)
    deviation = np.sqrt(before.var(axis=1, keepdims=True) + head.epsilon)
    return np.asarray(centred / deviation * head.weight + head.bias, np.float32)


def concepts_of_items(directions: Floats, centres: Floats) -> Items:
    """The concept that each item belongs to: the one whose centre is nearest to the direction of its text.

    Parameters
    ----------
    directions
        float32 [items, w], of unit length; 0 for an item that says nothing.
    centres
        float32 [C, w], of unit length.

    Returns
    -------
    int32 [items]
        -1 for an item that says nothing.
    """
    found = np.full(len(directions), -1, np.int32)
    for start in range(0, len(directions), BLOCK_ITEMS):
        block = directions[start : start + BLOCK_ITEMS]
        nearest = (block @ centres.T).argmax(axis=1)
        found[start : start + BLOCK_ITEMS] = np.where(block.any(axis=1), nearest, -1)
    return found
