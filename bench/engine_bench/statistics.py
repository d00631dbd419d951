"""Medians and ratios of what was measured in rounds; knows numbers alone.

Times of one machine drift, by its temperature and by its other users, and they drift for all who are measured in the
same round alike. So two things are compared by their ratio within each round, and the rounds are summarised after that.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Spread:
    """Several measurements of one thing.

    Attributes
    ----------
    median
        The middle one.
    least, most
        The ends: of few rounds these say more than a deviation would.
    """

    median: float
    least: float
    most: float


def spread(values: Sequence[float]) -> Spread:
    """Summarise `values`; raises `ValueError` where there is none."""
    if not values:
        raise ValueError("there is nothing to summarise.")
    return Spread(float(np.median(values)), float(min(values)), float(max(values)))


def ratios(above: Sequence[float], below: Sequence[float]) -> Spread:
    """Ratios of two things within each round, `above` / `below`, summarised.

    Raises
    ------
    ValueError
        They were not measured in the same rounds.
    """
    return spread([one / other for one, other in zip(above, below, strict=True)])


def percentile(values: Sequence[float], share: float) -> float:
    """The value that `share` per cent of `values` do not pass, interpolated."""
    return float(np.percentile(values, share))
