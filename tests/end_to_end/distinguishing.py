"""How far two neighbouring releases can really be told apart, held against what is promised.

An empirical lower bound on epsilon (Jagielski, Ullman and Oprea, Auditing Differentially Private Machine Learning,
2020; Nasr and others, Tight Auditing of Differentially Private Machine Learning, 2023): of two profiles at the largest
distance many releases are drawn; a test that says which of the two it was is right with probability b and wrong with a,
and every (epsilon, delta)-private mechanism has ``b <= e^epsilon a + delta``. So with the bounds of Clopper and Pearson
for both, ``log((b - delta) / a)`` is a bound that holds with the stated confidence. Knows mechanisms as functions.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import betaincinv

from engine_runtime.profile.noise import Entropy, gaussian_sigma, perturbed, response

Doubles = npt.NDArray[np.float64]
Draw = Callable[[bool, int], Doubles]
"""So many releases of the one profile, or of the other, as the number that tells them apart best."""

CHUNK = 500_000
CONFIDENCE = 0.95
SURE = 0.9999
"""What it takes to call a promise broken: a mechanism that spends just what it states passes 0.95 now and then."""
TRIED = 400
"""Thresholds that the first half of the releases chooses from; the second half judges the one."""


@dataclass(frozen=True)
class Bound:
    """What a test has shown.

    Attributes
    ----------
    stated
        The epsilon that is promised.
    found
        The epsilon that is proved to be spent at the least, with `CONFIDENCE`.
    surely
        The same with `SURE`.
    """

    stated: float
    found: float
    surely: float

    @property
    def broken(self) -> bool:
        """Whether the promise is."""
        return self.surely > self.stated


def clopper_pearson(hits: int, count: int, miss: float) -> tuple[float, float]:
    """Bounds of a probability from `hits` of `count`, each wrong with probability `miss` (Clopper and Pearson 1934)."""
    low = float(betaincinv(hits, count - hits + 1, miss)) if hits else 0.0
    high = float(betaincinv(hits + 1, count - hits, 1 - miss)) if hits < count else 1.0
    return low, high


def lower_bound(right: int, wrong: int, count: int, delta: float, confidence: float = CONFIDENCE) -> float:
    """Epsilon that is spent at the least, where a test was right and wrong so often of `count` each."""
    miss = (1 - confidence) / 2
    surely, at_most = clopper_pearson(right, count, miss)[0] - delta, clopper_pearson(wrong, count, miss)[1]
    return math.log(surely / at_most) if surely > at_most else 0.0


def judge(draw: Draw, epsilon: float, delta: float, count: int) -> Bound:
    """Draw `count` releases of each profile twice: to choose a threshold, and to judge it."""
    one, other = draw(True, count), draw(False, count)
    places = np.quantile(other, 1 - np.geomspace(0.5, 5 / count, TRIED))
    one, other = np.sort(one), np.sort(other)
    above = [(count - np.searchsorted(side, places, side="right")).tolist() for side in (one, other)]
    reached = [lower_bound(right, wrong, count, delta) for right, wrong in zip(*above, strict=True)]
    place = places[int(np.argmax(reached))]
    right, wrong = (int((draw(side, count) > place).sum()) for side in (True, False))
    found, surely = (lower_bound(right, wrong, count, delta, confidence) for confidence in (CONFIDENCE, SURE))
    return Bound(epsilon, found, surely)


def gaussian(sigma: float, entropy: Entropy = os.urandom) -> Draw:
    """Releases of two corners of the simplex by the mechanism itself; what tells them apart is the likelihood ratio.

    Numbers in which the two profiles are alike say nothing, so the profiles have two.
    """

    def draw(which: bool, count: int) -> Doubles:
        corner = np.array([[1.0, 0.0] if which else [0.0, 1.0]])
        parts = []
        for start in range(0, count, CHUNK):
            found = perturbed(np.repeat(corner, min(CHUNK, count - start), axis=0), sigma, entropy)
            parts.append(found[:, 0] - found[:, 1])
        return np.concatenate(parts)

    return draw


def answers(epsilon: float, n_concepts: int, entropy: Entropy = os.urandom) -> Draw:
    """Answers of randomized response about two profiles of different strongest concepts: whether the first is told."""

    def draw(which: bool, count: int) -> Doubles:
        corner = np.eye(n_concepts)[[0 if which else 1]]
        parts = []
        for start in range(0, count, CHUNK // n_concepts + 1):
            rows = np.repeat(corner, min(CHUNK // n_concepts + 1, count - start), axis=0)
            parts.append(response(rows, epsilon, entropy)[:, 0])
        return np.concatenate(parts)

    return draw


def audit(epsilon: float, delta: float, count: int, factor: float = 1.0, entropy: Entropy = os.urandom) -> Bound:
    """Judge the Gaussian mechanism, with its noise made smaller by a `factor` to see whether that is found."""
    return judge(gaussian(gaussian_sigma(epsilon, delta) * factor, entropy), epsilon, delta, count)
