"""Profiles with noise, so that what is released says provably little of any one history. Pure; knows arrays.

A profile z is a point of the simplex, or 0. If one history is put in the place of another, the user's profile moves by
at most `SENSITIVITY` in L2: the distance of two corners. The analytic Gaussian mechanism (Balle and Wang, Improving the
Gaussian Mechanism for Differential Privacy, 2018, theorem 8) adds normal noise of deviation sigma to each number; it is
(epsilon, delta)-differentially private exactly where

    Phi(D / (2 sigma) - epsilon sigma / D) - exp(epsilon) Phi(-D / (2 sigma) - epsilon sigma / D) <= delta

with D the sensitivity. What is worked out of the noisy numbers alone is as private as they are.

Randomized response (Warner 1965; over many answers Kairouz, Bonawitz and Ramage 2016) is the other mechanism: of a
profile only its strongest concept is told, and that truly with probability ``e^epsilon / (e^epsilon + C - 1)``, else
another one at random. No two profiles make any answer more than e^epsilon times as likely, so its delta is 0.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]
Entropy = Callable[[int], bytes]
"""Gives so many random bytes."""
Mechanism = Literal["gaussian", "response"]

SENSITIVITY = math.sqrt(2.0)
"""Largest L2 distance of two profiles."""
GRID = 2.0**-20
"""Noisy numbers are rounded to multiples of this: the last bits of a sum of floats can tell what was added to (Mironov,
On Significance of the Least Significant Bits for Differential Privacy, 2012)."""
MOST_EPSILON = 500.0
"""Beyond it the formula leaves the range of floats; it would promise nothing anyway."""


def spent_delta(epsilon: float, sigma: float, sensitivity: float = SENSITIVITY) -> float:
    """The least delta for which noise of deviation `sigma` is (epsilon, delta)-private; see the module."""
    half, shift = sensitivity / (2 * sigma), epsilon * sigma / sensitivity
    return _phi(half - shift) - math.exp(epsilon) * _phi(-half - shift)


def gaussian_sigma(epsilon: float, delta: float, sensitivity: float = SENSITIVITY) -> float:
    """The least deviation that is (epsilon, delta)-private, by bisection, rounded up.

    Parameters
    ----------
    epsilon
        Above 0, at most `MOST_EPSILON`.
    delta
        Between 0 and 1.
    sensitivity
        Largest L2 distance of what is released, without noise.
    """
    low, high = 0.0, sensitivity
    while spent_delta(epsilon, high, sensitivity) > delta:
        low, high = high, 2 * high
    while (middle := (low + high) / 2) not in (low, high):
        if spent_delta(epsilon, middle, sensitivity) > delta:
            low = middle
        else:
            high = middle
    return high


def _phi(x: float) -> float:
    """Distribution function of the standard normal."""
    return 0.5 * math.erfc(-x / math.sqrt(2.0))


def uniforms(count: int, entropy: Entropy = os.urandom) -> Doubles:
    """Numbers of (0, 1], 53 random bits each: float64 [count]."""
    bits = np.frombuffer(entropy(8 * count), np.uint64) >> np.uint64(11)
    return np.asarray((bits.astype(np.float64) + 1.0) * 2.0**-53)


def normals(shape: tuple[int, ...], entropy: Entropy = os.urandom) -> Doubles:
    """Standard normal numbers, float64 of `shape`, from random bytes (Box and Muller 1958)."""
    count = math.prod(shape)
    pairs = -(-count // 2)
    drawn = uniforms(2 * pairs, entropy)
    radius, angle = np.sqrt(-2.0 * np.log(drawn[:pairs])), 2.0 * np.pi * drawn[pairs:]
    return np.asarray(np.concatenate((radius * np.cos(angle), radius * np.sin(angle)))[:count].reshape(shape))


def bounded(profiles: npt.NDArray[Any]) -> Doubles:
    """Profiles as points of the simplex or below it, float64 [n, C], so that the sensitivity holds whatever came in."""
    kept = np.nan_to_num(profiles.astype(np.float64), nan=0.0, posinf=0.0, neginf=0.0).clip(min=0.0)
    return np.asarray(kept / np.maximum(kept.sum(axis=1, keepdims=True), 1.0))


def perturbed(profiles: npt.NDArray[Any], sigma: float, entropy: Entropy = os.urandom) -> Doubles:
    """What the Gaussian mechanism gives before any processing: float64 [n, C], multiples of `GRID`."""
    kept = bounded(profiles)
    return np.asarray(np.rint((kept + sigma * normals(kept.shape, entropy)) / GRID) * GRID)


def to_simplex(points: Doubles) -> Doubles:
    """The nearest point of the simplex to each row: float64 [n, C].

    By sorting, as Held, Wolfe and Crowder (Validation of subgradient optimization, 1974) have it.
    """
    falling = -np.sort(-points, axis=1)
    excess = np.cumsum(falling, axis=1) - 1.0
    counts = np.arange(1, points.shape[1] + 1)
    kept = (falling - excess / counts > 0).sum(axis=1)
    shift = excess[np.arange(len(points)), kept - 1] / kept
    return np.asarray(np.maximum(points - shift[:, None], 0.0))


def response(profiles: npt.NDArray[Any], epsilon: float, entropy: Entropy = os.urandom) -> Doubles:
    """Randomized response over the strongest concepts: float64 [n, C], one 1 in each row; see the module.

    A row of zeros, a user without events, answers at random. Of equal concepts the first is the strongest.
    """
    kept = bounded(profiles)
    n_users, n_concepts = kept.shape
    drawn = uniforms(2 * n_users, entropy)
    elsewhere = np.minimum((drawn[n_users:] * n_concepts).astype(np.int64), n_concepts - 1)
    # of all answers, the true one too, one is drawn with this probability; the other is always the true one
    blurred = n_concepts / (math.exp(min(epsilon, MOST_EPSILON)) + n_concepts - 1)
    random = (drawn[:n_users] <= blurred) | ~kept.any(axis=1)
    told = np.where(random, elsewhere, kept.argmax(axis=1))
    return np.asarray(np.eye(n_concepts)[told])


def noisy(
    profiles: npt.NDArray[Any], mechanism: Mechanism, epsilon: float, sigma: float, entropy: Entropy = os.urandom
) -> Floats:
    """Noisy profiles that are points of the simplex again: float32 [n, C].

    Parameters
    ----------
    profiles
        z: [n, C]; a row is one user.
    mechanism
        ``gaussian`` or ``response``; see the module.
    epsilon
        What ``response`` promises.
    sigma
        Deviation of ``gaussian``, from `gaussian_sigma`.
    entropy
        Where random bytes come from: the operating system; tests give others.
    """
    if mechanism == "response":
        return response(profiles, epsilon, entropy).astype(np.float32)
    return to_simplex(perturbed(profiles, sigma, entropy)).astype(np.float32)
