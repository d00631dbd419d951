"""What label heads learn from: features of users, and the way from fitted weights to what serving reads.

The features are the sums of `engine_runtime.profile.labels`, made of its own `evidence`. Knows arrays alone.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix

from engine_models.logistic import Design, Doubles
from engine_models.split import Ints
from engine_runtime.data.histories import Histories
from engine_runtime.profile.labels import Evidence, LabelHeads, evidence

Floats = npt.NDArray[np.float32]

MOST_ITEMS = 20_000
"""Items that have a weight of their own: those that most users have met."""

HELD_OUT = 5
"""One user in so many is held out."""

VALUE_SCALE, SHARED_SCALE, PROFILE_SCALE = 0.5, 0.2, 0.2
"""Size of the blocks of features beside that of the items, which is 1; chosen by cross-validation on ML-1M."""


@dataclass(frozen=True)
class Users:
    """All that is known of some users; row u of each part is one user.

    Attributes
    ----------
    histories
        Ordered events.
    values
        float32 [events], scaled.
    profiles
        z_u: float32 [users, C].
    vectors
        float32 [items, d].
    """

    histories: Histories
    values: Floats
    profiles: Floats
    vectors: Floats


@dataclass(frozen=True)
class Material:
    """Features of all users, and who is held out.

    Attributes
    ----------
    design
        Blocks: items, their values, their mean vector, the profile.
    inside, outside
        int64: rows of users with events, those to learn from and those held out.
    rarity
        float32 [items], counted among `inside`.
    columns
        int64: the items that have a weight of their own.
    scale
        Factor on the items' vectors.
    """

    design: Design
    inside: Ints
    outside: Ints
    rarity: Floats
    columns: Ints
    scale: float


def prepare(users: Users, seed: int) -> Material:
    """Hold out a fifth of the users with events, drawn from `seed`, and make features of all."""
    drawn = np.random.default_rng(seed).permutation(np.flatnonzero(users.histories.lengths))
    outside, inside = np.split(drawn, [len(drawn) // HELD_OUT])
    inside.sort()
    n_items = len(users.vectors)
    met = evidence(users.histories, users.values, np.ones(n_items, np.float32))
    counts = np.bincount(met.items[np.isin(met.rows, inside)], minlength=n_items)
    rarity = ((1.0 + counts) ** -0.25).astype(np.float32)
    columns = np.argsort(-counts, kind="stable")[: min(MOST_ITEMS, int((counts > 0).sum()))]
    scale = SHARED_SCALE / max(float(np.sqrt((users.vectors[columns] ** 2).sum(1).mean())), 1e-9)
    design = _design(users, evidence(users.histories, users.values, rarity), columns, scale)
    return Material(design, inside, np.sort(outside), rarity, columns, scale)


def _design(users: Users, told: Evidence, columns: Ints, scale: float) -> Design:
    shape = (len(users.histories), len(users.vectors))
    shares = told.shares.astype(np.float64)
    items = csr_matrix((shares, (told.rows, told.items)), shape)
    values = csr_matrix((shares * told.values, (told.rows, told.items)), shape)
    blocks = [items[:, columns], VALUE_SCALE * values[:, columns], scale * (items @ users.vectors)]
    return Design([*blocks, PROFILE_SCALE * np.sqrt(users.profiles.astype(np.float64))])


def heads_of(material: Material, weights: Doubles) -> LabelHeads:
    """Weights of the features, float64 [width + 1, K], as serving reads them."""
    parts = np.split(weights, material.design.stops)
    own, valued = np.zeros((2, len(material.rarity), weights.shape[1]), np.float32)
    own[material.columns], valued[material.columns] = parts[0], VALUE_SCALE * parts[1]
    return LabelHeads(
        rarity=material.rarity,
        own=own,
        valued=valued,
        shared=(material.scale * parts[2]).astype(np.float32),
        profile=(PROFILE_SCALE * parts[3]).astype(np.float32),
        bias=parts[4][0].astype(np.float32),
    )
