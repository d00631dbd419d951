"""The median of rounds with its interval; knows numbers alone.

The number of rounds below the true median is binomial with one half, of whatever distribution, so the k-th least and
the k-th most enclose it with probability 1 - 2 P(X < k) (Conover, Practical Nonparametric Statistics, section 3.2).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from engine_bench.suite.histogram import Interval

OUTSIDE = 0.025


def median(values: Sequence[float]) -> Interval:
    """The median and its 95 % interval, whose ends are None below six values; raises `ValueError` for none."""
    if not values:
        raise ValueError("there is no round to take the median of.")
    ordered, below, place = sorted(values), 0.0, -1
    while below + (chance := _binomial(len(ordered), place + 1)) <= OUTSIDE:
        place += 1
        below += chance
    middle = float(np.median(ordered))
    return Interval(middle) if place < 0 else Interval(middle, ordered[place], ordered[-1 - place])


def _binomial(count: int, hits: int) -> float:
    """Chance of so many heads in `count` throws; by logarithms, for whole numbers of thousands are long."""
    ways = math.lgamma(count + 1) - math.lgamma(hits + 1) - math.lgamma(count - hits + 1)
    return math.exp(ways - count * math.log(2))
