"""Erasure of attributes from vectors: no linear probe finds them any more. Pure; knows arrays.

LEACE (Belrose, Schneider-Joseph, Ravfogel, Cotterell, Raff and Biderman, LEACE: Perfect linear concept erasure in
closed form, 2023, theorem 4.3): of all affine maps after which a vector x and an attribute z have no covariance, the
one that changes x least,

    r(x) = x - W+ P W (x - E x),    W = (S_xx ^ 1/2)+,    P the projection on the columns of W S_xz

with S the covariances, + the pseudo-inverse and z one column a value. Where there is no covariance, no linear predictor
of z from r(x) is better than a constant, on the users that the map was fitted on. Probes that are not linear may find
it.

A covariance that is exactly 0 over all users is one that the users of whom z is known tell of the others, turned round:
with many directions and few users most of S_xz is chance. So users are dealt into `FOLDS`, and the map of each fold is
fitted on the others (cross-fitting; Chernozhukov et al., Double/debiased machine learning, 2018): what chance has put
into a user's own fold has no part in their map, and stays.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from operator import add
from typing import Any

import numpy as np
import numpy.typing as npt

Doubles = npt.NDArray[np.float64]
Real = npt.NDArray[Any]

FOLDS = 4
"""With fewer, maps are of too few users; with more, each is nearly that of all, and that can be turned round."""

TOLERANCE = 1e-10
"""Eigenvalues and singular values below this share of the largest are taken for 0."""


@dataclass(frozen=True)
class Eraser:
    """An affine map ``x - (x - mean) down up``.

    Attributes
    ----------
    mean
        float64 [D].
    down, up
        float64 [D, r] and [r, D]; r is the number of directions that were taken out.
    """

    mean: Doubles
    down: Doubles
    up: Doubles

    @property
    def rank(self) -> int:
        """Directions taken out."""
        return int(self.down.shape[1])

    def __call__(self, vectors: Real) -> Doubles:
        """Vectors, [n, D], without what was erased: float64 [n, D]."""
        found = vectors.astype(np.float64)
        return np.asarray(found - ((found - self.mean) @ self.down) @ self.up)


@dataclass(frozen=True)
class Moments:
    """What an eraser is made of: moments of users' vectors x and one-hot attributes z.

    Sums of two groups give those of both (Chan, Golub and LeVeque, Updating formulae and a pairwise algorithm for
    computing sample variances, 1979).

    Attributes
    ----------
    count
        Users.
    mean, shares
        Of x and z: float64 [D] and [K].
    squares, products
        Sums of ``(x - mean) (x - mean)^T`` and ``(x - mean) (z - shares)^T``: float64 [D, D] and [D, K].
    """

    count: int
    mean: Doubles
    shares: Doubles
    squares: Doubles
    products: Doubles

    @classmethod
    def of(cls, vectors: Real, values: Real) -> Moments:
        """Moments of users: vectors [n, D] and values [n, K]; n may be 0."""
        count, found, told = len(vectors), vectors.astype(np.float64), values.astype(np.float64)
        mean, shares = found.sum(axis=0) / max(count, 1), told.sum(axis=0) / max(count, 1)
        found, told = found - mean, told - shares
        return cls(count, mean, shares, found.T @ found, found.T @ told)

    def __add__(self, other: Moments) -> Moments:
        """Moments of both groups."""
        count = self.count + other.count
        share = other.count / max(count, 1)
        apart, told = other.mean - self.mean, other.shares - self.shares
        weight = self.count * share
        return Moments(
            count,
            self.mean + share * apart,
            self.shares + share * told,
            self.squares + other.squares + weight * np.outer(apart, apart),
            self.products + other.products + weight * np.outer(apart, told),
        )

    def eraser(self) -> Eraser:
        """The eraser fitted on these users, at least two."""
        if self.count < 2:
            raise ValueError("an eraser is fitted on two users or more")
        return fit(self.mean, self.squares / self.count, self.products / self.count)


def cross_fitted(parts: Sequence[Moments]) -> tuple[Eraser, ...]:
    """For each part of the users, at least two parts, the eraser that is fitted on the others."""
    return tuple(reduce(add, [*parts[:left], *parts[left + 1 :]]).eraser() for left in range(len(parts)))


def fit(mean: Doubles, within: Doubles, across: Doubles) -> Eraser:
    """The eraser of known moments.

    Parameters
    ----------
    mean
        E x: float64 [D].
    within
        S_xx: float64 [D, D].
    across
        S_xz: float64 [D, K].
    """
    # Numbers of different size are made alike first, so that one tolerance does for all; the map stays the same.
    spread = np.sqrt(np.maximum(np.diag(within), 0.0))
    scale = np.where(spread > TOLERANCE * max(spread.max(initial=0.0), 1e-300), spread, np.inf)
    variances, axes = np.linalg.eigh(within / np.outer(scale, scale))
    kept = variances > TOLERANCE * max(variances.max(initial=0.0), 1e-300)
    roots, axes = np.sqrt(variances[kept]), axes[:, kept]
    whitened = (axes / roots).T @ (across / scale[:, None])
    found, sizes, _ = np.linalg.svd(whitened, full_matrices=False)
    found = found[:, sizes > np.sqrt(TOLERANCE) * max(sizes.max(initial=0.0), 1e-9)]
    finite = np.where(np.isinf(scale), 0.0, scale)
    down = ((axes / roots) @ found) / scale[:, None]
    up = found.T @ (axes * roots).T * finite
    return Eraser(mean, down, up)
