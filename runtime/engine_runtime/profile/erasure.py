"""Erasure of attributes from vectors: no linear probe finds them any more. Pure; knows arrays.

LEACE (Belrose, Schneider-Joseph, Ravfogel, Cotterell, Raff and Biderman, LEACE: Perfect linear concept erasure in
closed form, 2023, theorem 4.3): of all affine maps after which a vector x and an attribute z have no covariance, the
one that changes x least,

    r(x) = x - W+ P W (x - E x),    W = (S_xx ^ 1/2)+,    P the projection on the columns of W S_xz

with S the covariances, + the pseudo-inverse and z one column a value. Where there is no covariance, no linear predictor
of z from r(x) is better than a constant, on the users that the map was fitted on. Probes that are not linear may find
it.

A covariance that is exactly 0 over all users is one that the users of whom z is known tell of the others, turned round:
with many directions and few users most of S_xz is chance. So principal components whose covariance with z is below some
standard errors are taken to have none (hard thresholds, Donoho and Johnstone, Ideal spatial adaptation by wavelet
shrinkage, 1994), and what chance has put there stays.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Doubles = npt.NDArray[np.float64]
Real = npt.NDArray[Any]

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


class Moments:
    """Sums over users, a block at a time, of vectors x and one-hot attributes z: all that an eraser is made of.

    Parameters
    ----------
    width
        D, of the vectors.
    n_values
        K, of the attributes together.
    """

    def __init__(self, width: int, n_values: int) -> None:
        self.count = 0
        self._shift: Doubles | None = None  # near the mean, so that no digits are lost
        self._vectors = np.zeros(width)
        self._values = np.zeros(n_values)
        self._squares = np.zeros((width, width))
        self._products = np.zeros((width, n_values))

    def add(self, vectors: Real, values: Real) -> None:
        """Add users: vectors [n, D] and values [n, K]."""
        if not len(vectors):
            return
        found, told = vectors.astype(np.float64), values.astype(np.float64)
        if self._shift is None:
            self._shift = found.mean(axis=0)
        found = found - self._shift
        self.count += len(found)
        self._vectors += found.sum(axis=0)
        self._values += told.sum(axis=0)
        self._squares += found.T @ found
        self._products += found.T @ told

    def eraser(self, significance: float = 0.0) -> Eraser:
        """The eraser of what was added, of at least two users.

        Covariances of principal components below `significance` standard errors are taken for chance and left alone.
        """
        if self._shift is None or self.count < 2:
            raise ValueError("an eraser is fitted on two users or more")
        mean, shares = self._vectors / self.count, self._values / self.count
        within = self._squares / self.count - np.outer(mean, mean)
        across = self._products / self.count - np.outer(mean, shares)
        least = significance * np.sqrt(np.maximum(shares * (1 - shares), 0.0) / self.count)
        return fit(self._shift + mean, within, across, least)


def fit(mean: Doubles, within: Doubles, across: Doubles, least: Doubles) -> Eraser:
    """The eraser of known moments.

    Parameters
    ----------
    mean
        E x: float64 [D].
    within
        S_xx: float64 [D, D].
    across
        S_xz: float64 [D, K].
    least
        float64 [K]: covariances of whitened principal components below it are taken for 0.
    """
    # Numbers of different size are made alike first, so that one tolerance does for all; the map stays the same.
    spread = np.sqrt(np.maximum(np.diag(within), 0.0))
    scale = np.where(spread > TOLERANCE * max(spread.max(initial=0.0), 1e-300), spread, np.inf)
    variances, axes = np.linalg.eigh(within / np.outer(scale, scale))
    kept = variances > TOLERANCE * max(variances.max(initial=0.0), 1e-300)
    roots, axes = np.sqrt(variances[kept]), axes[:, kept]
    whitened = (axes / roots).T @ (across / scale[:, None])
    whitened = np.where(np.abs(whitened) >= least, whitened, 0.0)
    found, sizes, _ = np.linalg.svd(whitened, full_matrices=False)
    found = found[:, sizes > np.sqrt(TOLERANCE) * max(sizes.max(initial=0.0), 1e-9)]
    finite = np.where(np.isinf(scale), 0.0, scale)
    down = ((axes / roots) @ found) / scale[:, None]
    up = found.T @ (axes * roots).T * finite
    return Eraser(mean, down, up)
