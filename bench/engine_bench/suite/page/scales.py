"""From values to places on a drawing, and the round numbers to write along an axis.

Knows numbers alone.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from engine_bench.suite.page.units import short

ROUND = (1.0, 2.0, 5.0, 10.0)
ROOM = 0.06
INTERVALS = 5
FEWEST = 3
DENSE_DECADES = 2.2
LEAST_SHARE_BEYOND = 1e-6


@dataclass(frozen=True)
class Scale:
    """One axis.

    Attributes
    ----------
    low, high
        Values at its ends.
    bend
        What is even along the axis: the identity, a logarithm, or nines.
    ticks
        Values to write along it, with their text.
    """

    low: float
    high: float
    bend: Callable[[float], float]
    ticks: tuple[tuple[float, str], ...]

    def place(self, value: float, start: float, end: float) -> float:
        """Where `value` lies between two places of the drawing."""
        low, high = self.bend(self.low), self.bend(self.high)
        share = (self.bend(value) - low) / (high - low)
        return start + share * (end - start)


def linear(values: Iterable[float], zero: bool = False) -> Scale:
    """An even axis around finite values, with a little room; from 0 or below where `zero` is asked for."""
    low, high = _ends(values)
    if high == low:
        low, high = low - (abs(low) or 1) * ROOM, high + (abs(high) or 1) * ROOM
    room = (high - low) * ROOM
    low, high = (min(0.0, low) if zero else low - room), high + room
    return Scale(low, high, float, _even(low, high))


def logarithmic(values: Iterable[float]) -> Scale:
    """An axis of equal ratios around values above 0."""
    low, high = _ends(values)
    room = (high / low) ** ROOM if high > low else 2.0
    low, high = low / room, high * room
    within = ROUND[:3] if math.log10(high / low) < DENSE_DECADES else ROUND[:1]
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    places = [factor * 10.0**decade for decade in decades for factor in within]
    ticks = tuple((at, short(at)) for at in places if low <= at <= high)
    return Scale(low, high, math.log10, ticks if len(ticks) >= FEWEST else _even(low, high))


def nines(most: float) -> Scale:
    """An axis of quantiles from the median to `most`, below 1, on which 90 %, 99 % and 99.9 % are equally far apart."""
    ticks = [(0.5, "50"), (0.9, "90"), (0.99, "99"), (0.999, "99.9"), (0.9999, "99.99")]
    return Scale(0.5, most, beyond, tuple((share, f"{text} %") for share, text in ticks if share <= most))


def beyond(share: float) -> float:
    """How many nines a quantile has: 1 for 90 %, 2 for 99 %."""
    return -math.log10(max(1 - share, LEAST_SHARE_BEYOND))


def _ends(values: Iterable[float]) -> tuple[float, float]:
    found = [float(value) for value in values]
    return min(found), max(found)


def _even(low: float, high: float) -> tuple[tuple[float, str], ...]:
    """Round numbers at even steps between two values, with the decimals that tell them apart."""
    step = _step((high - low) / INTERVALS)
    decimals = max(0, -math.floor(math.log10(step)))
    places = [step * count for count in range(math.ceil(low / step), math.floor(high / step) + 1)]
    return tuple((place, f"{place:,.{decimals}f}") for place in places)


def _step(rough: float) -> float:
    """The next round number."""
    decade = 10.0 ** math.floor(math.log10(rough))
    return next(factor * decade for factor in ROUND if factor * decade >= rough * (1 - 1e-9))
