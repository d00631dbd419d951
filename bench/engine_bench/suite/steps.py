"""Steps in a series of measurements: where it moved to another level and stayed there.

Knows numbers in order; knows nothing of commits or machines. The series is fitted by a piecewise constant: of all ways
to cut it, the one with the least sum of absolute deviations from the medians of the pieces, in units of the noise, plus
a price of ``2 log n`` for each cut (the Bayesian information criterion for a place and a level; cf. Killick, Fearnhead
and Eckley 2012 for the exact search). Absolute deviations let a single bad run count for little. The noise is told from
differences between runs up to three apart, of which a step touches few; runs that drift together differ the more the
farther apart they are, so the drift is in the noise and is not taken for steps.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from engine_bench.suite.verdict import Change, apart

SHORTEST = 3
"""Runs that a level lasts at least."""

LAGS = 3
LEAST = 0.03
"""Size from which a step is told, as a part of 1."""

# Of a normal distribution, the median absolute difference of two draws is so many standard deviations.
DIFFERENCE = 0.6745 * math.sqrt(2)
LEAST_NOISE = 1e-4  # series that repeat to the digit have none of their own

Doubles = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Step:
    """A move to another level.

    Attributes
    ----------
    place
        First run at the new level, from 0.
    change
        The new level to the one before, with its interval; runs are taken as independent of each other.
    """

    place: int
    change: Change


def find_steps(figure: str, values: Sequence[float], least: float = LEAST) -> tuple[Step, ...]:
    """Where a series of numbers above 0 moved by `least` or more and stayed for `SHORTEST` runs; in order."""
    if len(values) < 2 * SHORTEST:
        return ()
    logs = np.log(np.asarray(values, np.float64))
    edges = [0, *_large(logs, _cuts(logs), math.log1p(least)), len(values)]
    pieces = [values[start:stop] for start, stop in pairwise(edges)]
    changes = (apart(figure, before, after, least) for before, after in pairwise(pieces))
    return tuple(Step(place, change) for place, change in zip(edges[1:-1], changes, strict=True))


def levels(values: Sequence[float], steps: Sequence[Step]) -> list[float]:
    """The level of each run: the median of its piece."""
    edges = [0, *(step.place for step in steps), len(values)]
    return [float(np.median(values[start:stop])) for start, stop in pairwise(edges) for _ in range(start, stop)]


def _noise(logs: Doubles) -> float:
    """Standard deviation of a series about its levels."""
    medians = (float(np.median(np.abs(logs[lag:] - logs[:-lag]))) for lag in range(1, LAGS + 1))
    return max(LEAST_NOISE, *(median / DIFFERENCE for median in medians))


def _cuts(logs: Doubles) -> list[int]:
    """Places of the cuts of the best fit, by dynamic programming over where the last piece begins."""
    count = len(logs)
    costs = _deviations(logs) / _noise(logs) + 2 * math.log(count)
    best, begins = np.full(count + 1, np.inf), [0] * (count + 1)
    best[0] = 0
    for stop in range(SHORTEST, count + 1):
        totals = best[: stop - SHORTEST + 1] + costs[: stop - SHORTEST + 1, stop]
        begins[stop] = int(np.argmin(totals))
        best[stop] = totals[begins[stop]]
    cuts, stop = [], begins[count]
    while stop:
        cuts.append(stop)
        stop = begins[stop]
    return cuts[::-1]


def _large(logs: Doubles, cuts: Sequence[int], least: float) -> list[int]:
    """The cuts without those smaller than `least`, the smallest first, since leaving one out moves its neighbours."""
    kept = list(cuts)
    while kept:
        pieces = [float(np.median(logs[start:stop])) for start, stop in pairwise([0, *kept, len(logs)])]
        sizes = [abs(after - before) for before, after in pairwise(pieces)]
        smallest = int(np.argmin(sizes))
        if sizes[smallest] >= least:
            break
        del kept[smallest]
    return kept


def _deviations(values: Doubles) -> Doubles:
    """Sum of absolute deviations from the median of values i to j - 1, at [i, j]; infinite elsewhere."""
    count = len(values)
    found = np.full((count, count + 1), np.inf)
    for start in range(count):
        low: list[float] = []  # the smaller half, negated: the largest is on top
        high: list[float] = []  # the greater half, which has one more where the count is odd
        for stop in range(start, count):
            heapq.heappush(low, -heapq.heappushpop(high, float(values[stop])))
            if len(low) > len(high):
                heapq.heappush(high, -heapq.heappop(low))
            odd = high[0] if len(high) > len(low) else 0.0
            found[start, stop + 1] = sum(high) + sum(low) - odd
    return found
