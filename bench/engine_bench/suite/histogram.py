"""Durations in logarithmic buckets: as many as one likes in a few kilobytes, read again as quantiles with intervals.

Knows durations alone. A bucket is one per cent wide, so a quantile is told within half a per cent of itself; a mean is
exact. The interval of a quantile comes from the order statistics: of n durations the number below the true quantile q
is binomial, so the ranks n q -+ 1.96 sqrt(n q (1 - q)) enclose it in 95 % of cases, of whatever distribution
(Conover, Practical Nonparametric Statistics, section 3.2).
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

LEAST_SECONDS = 1e-7
WIDTH = 1.01
NORMAL_95 = 1.96
# A quantile is told where at least this many durations are expected beyond it: p99 from 1,000 on, p99.9 from 10,000 on.
BEYOND = 10


@dataclass(frozen=True)
class Interval:
    """A figure and the 95 % interval around it; the ends are None where nothing is known of its spread."""

    value: float
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Histogram:
    """Counted durations.

    Attributes
    ----------
    counts
        How many fell into each bucket that is not empty, by number, rising; bucket b holds seconds from
        ``LEAST_SECONDS * WIDTH ** b`` on, and bucket 0 all that is shorter, too.
    total
        Sum of all durations, in seconds.
    most
        The longest one; 0 where there is none.
    """

    counts: dict[int, int]
    total: float
    most: float

    @classmethod
    def of(cls, seconds: Iterable[float]) -> Histogram:
        """Count durations, each at least 0; raises `ValueError` for a negative or a missing one."""
        values = np.fromiter(seconds, np.float64)
        if not np.all(values >= 0) or not np.all(np.isfinite(values)):
            raise ValueError("a duration is negative or not finite: the clock that gave it cannot be trusted.")
        numbers, counts = np.unique(_bucket(values), return_counts=True)
        found = {int(number): int(count) for number, count in zip(numbers, counts, strict=True)}
        return cls(found, float(values.sum()), float(values.max(initial=0.0)))

    def __len__(self) -> int:
        return sum(self.counts.values())

    def __add__(self, other: Histogram) -> Histogram:
        numbers = sorted(self.counts.keys() | other.counts.keys())
        counts = {number: self.counts.get(number, 0) + other.counts.get(number, 0) for number in numbers}
        return Histogram(counts, self.total + other.total, max(self.most, other.most))

    @property
    def mean(self) -> float:
        """Seconds; raises `ValueError` where nothing was counted."""
        if not self.counts:
            raise ValueError("there is no duration to take the mean of.")
        return self.total / len(self)

    def supports(self, share: float) -> bool:
        """Whether enough was counted to tell the quantile `share`, from 0 to 1."""
        return len(self) * (1 - share) >= BEYOND or (share <= 0.5 and len(self) > 0)

    def quantile(self, share: float) -> Interval:
        """The duration that `share` of all do not pass; raises `ValueError` where too few are known."""
        if not self.supports(share):
            raise ValueError(f"{len(self)} durations do not tell the quantile {share:g}. Measure longer.")
        count = len(self)
        spread = NORMAL_95 * math.sqrt(count * share * (1 - share))
        ranks = (count * share, count * share - spread, count * share + spread)
        value, low, high = (self._at(rank) for rank in ranks)
        return Interval(value, low, high)

    def _at(self, rank: float) -> float:
        """The duration of that rank, counted from 1."""
        wanted = min(max(math.ceil(rank), 1), len(self))
        passed = 0
        for number in sorted(self.counts):
            passed += self.counts[number]
            if passed >= wanted:
                return min(LEAST_SECONDS * float(WIDTH ** (number + 0.5)), self.most)
        raise AssertionError("the ranks of a histogram end at its length")


def _bucket(seconds: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
    safe = np.maximum(seconds, LEAST_SECONDS)
    return np.floor(np.log(safe / LEAST_SECONDS) / math.log(WIDTH)).astype(np.int64)
