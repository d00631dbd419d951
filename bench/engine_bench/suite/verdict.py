"""Whether one thing is slower than another, and what size of difference would have been found.

Knows numbers measured in rounds, and nothing of what they are. Two things differ where the 99 % bootstrap interval of
their ratio leaves out 1 and the ratio itself passes a least size. The first holds against the rounds' own noise: of
hundred comparisons of one thing with itself, one is let through. The second holds against what rounds do not show, such
as where a process happens to lie in memory.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

CONFIDENCE = 0.99
RESAMPLES = 4000
LEAST_ROUNDS = 5
LEAST = 0.05
"""Size from which a difference counts: two processes of one build differ by some per cent for as long as they live."""

# Quantiles of the normal distribution: half of the interval is 2.576 deviations, and what lies 0.842 deviations beyond
# a limit passes it in 80 % of cases.
HALF_INTERVAL, FOUR_OF_FIVE = 2.576, 0.842

SAME = "no difference found"
TOO_FEW = "too few rounds"

Doubles = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Change:
    """What a second thing is to a first.

    Attributes
    ----------
    ratio
        Second to first, of their medians or the median within the pairs.
    low, high
        The 99 % interval of the ratio.
    findable
        The least change that would have been found in four of five cases, as a part of 1.
    verdict
        ``slower``, ``faster``, ``higher``, ``lower``, `SAME` or `TOO_FEW`.
    """

    ratio: float
    low: float
    high: float
    findable: float
    verdict: str


def paired(figure: str, first: Sequence[float], second: Sequence[float], least: float) -> Change:
    """Compare two things that were measured in the same rounds.

    Parameters
    ----------
    figure
        What was measured, with its unit at the end: it decides which way is slower.
    first, second
        Above 0, a number a round each.
    least
        Size from which a difference counts, as a part of 1.

    Raises
    ------
    ValueError
        They were not measured in the same rounds, or a number is not above 0.
    """
    logs = np.subtract(*(_logs(values) for values in (second, first)))
    return _change(figure, float(np.median(logs)), _medians(logs, 0), len(logs), least)


def apart(figure: str, first: Sequence[float], second: Sequence[float], least: float) -> Change:
    """Compare two things that were measured in rounds of their own; otherwise as `paired`.

    What drifted between the two measurements counts as a difference.
    """
    one, other = _logs(first), _logs(second)
    ratio = float(np.median(other) - np.median(one))
    return _change(figure, ratio, _medians(other, 0) - _medians(one, 1), min(len(one), len(other)), least)


def direction(figure: str, ratio: float) -> str:
    """What a change of `figure` by the factor `ratio` is called."""
    more = ratio > 1
    if "per_second" in figure:
        return "faster" if more else "slower"
    if figure.endswith("seconds"):
        return "slower" if more else "faster"
    return "higher" if more else "lower"


def _logs(values: Sequence[float]) -> Doubles:
    found = np.asarray(values, np.float64)
    if not len(found) or not np.all(found > 0):
        raise ValueError("ratios are of numbers above 0, and there is one that is not, or none at all.")
    return np.log(found)


def _medians(logs: Doubles, seed: int) -> Doubles:
    """Medians of `RESAMPLES` samples drawn with replacement."""
    drawn = np.random.default_rng(seed).integers(0, len(logs), (RESAMPLES, len(logs)))
    return np.median(logs[drawn], axis=1)


def _change(figure: str, log_ratio: float, resampled: Doubles, rounds: int, least: float) -> Change:
    tail = (1 - CONFIDENCE) / 2 * 100
    low, high = (float(end) for end in np.percentile(resampled, (tail, 100 - tail)))
    half, limit = (high - low) / 2, math.log1p(least)
    findable = math.expm1(max(half, limit) + half * FOUR_OF_FIVE / HALF_INTERVAL)
    ratio = math.exp(log_ratio)
    differs = (low > 0 or high < 0) and abs(log_ratio) >= limit
    verdict = direction(figure, ratio) if differs else SAME
    return Change(ratio, math.exp(low), math.exp(high), findable, verdict if rounds >= LEAST_ROUNDS else TOO_FEW)
