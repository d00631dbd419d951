"""A figure of an audit: a measure with its interval, what chance would give, and one word for it.

Knows numbers and the thresholds of the words; knows nothing of users, vectors or files.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from engine_models.label_measures import auc, interval
from engine_models.metrics import estimate

Doubles = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

LIKE_CHANCE = "like chance"
LEAKS = "leaks"
IDENTIFIES = "identifies"
NONE_FOUND = "none found"
NOT_MEASURED = "not measured"

IDENTIFYING_AUC = 0.9
"""An area whose whole interval is above this tells nearly all pairs apart."""

IDENTIFYING_GAIN = 0.5
"""A rate ``r`` beside the chance ``c`` gains ``(r - c) / (1 - c)``: the share of what chance has left that is found."""


@dataclass(frozen=True)
class Figure:
    """One line of an audit.

    Attributes
    ----------
    section
        ``attributes``, ``texts``, ``membership`` or ``groups``.
    subject
        What is found out: an attribute, the user's items, that the user is there.
    column
        Column of the output that it is found out from.
    measure
        What was counted, and by which attack.
    value, low, high
        The measure and its 95 % interval; None where nothing was measured, and the interval of a plain count.
    chance
        What one gets who has not seen the user's row; None where nothing was measured.
    n
        Users that the measure is over.
    verdict
        One of the words of this module.
    note
        What a reader has to know beside it.
    """

    section: str
    subject: str
    column: str
    measure: str
    value: float | None
    low: float | None
    high: float | None
    chance: float | None
    n: int
    verdict: str
    note: str = ""


@dataclass(frozen=True)
class Line:
    """What a figure is of; see `Figure`."""

    section: str
    subject: str
    column: str
    measure: str
    note: str = ""

    def area(self, scores: Doubles, truth: Ints, seed: int) -> Figure:
        """Area under the ROC curve of scores, float64 [n, K], for classes, int64 [n]; chance is a half."""
        found = interval(auc, scores, truth, seed)
        return self._figure(found.value, found.low, found.high, 0.5, len(truth), area_verdict(found.low))

    def mean_area(self, areas: Doubles, seed: int) -> Figure:
        """Mean of one area for each user, float64 [n]; chance is a half."""
        found = estimate(areas, seed)
        return self._figure(found.mean, found.low, found.high, 0.5, len(areas), area_verdict(found.low))

    def rate(self, hits: Doubles, chances: Doubles, seed: int) -> Figure:
        """Mean of a hit or share for each user beside what chance gives the same user, float64 [n] each."""
        found, gained = estimate(hits, seed), estimate(hits - chances, seed)
        chance = float(chances.mean()) if len(chances) else 0.0
        verdict = rate_verdict(gained.low, found.low, chance)
        return self._figure(found.mean, found.low, found.high, chance, len(hits), verdict)

    def count(self, found: int, n: int, verdict: str) -> Figure:
        """How many there are, of n; `verdict` where there is any."""
        return self._figure(float(found), None, None, 0.0, n, verdict if found else NONE_FOUND)

    def unmeasured(self) -> Figure:
        """Nothing was measured; the note says why."""
        return self._figure(None, None, None, None, 0, NOT_MEASURED)

    def _figure(
        self, value: float | None, low: float | None, high: float | None, chance: float | None, n: int, verdict: str
    ) -> Figure:
        named = (self.section, self.subject, self.column, self.measure)
        return Figure(*named, value, low, high, chance, n, verdict, self.note)


def area_verdict(low: float) -> str:
    """The word for an area by the low end of its interval."""
    if low <= 0.5:
        return LIKE_CHANCE
    return IDENTIFIES if low >= IDENTIFYING_AUC else LEAKS


def rate_verdict(gained: float, low: float, chance: float) -> str:
    """The word for a rate.

    Parameters
    ----------
    gained
        Low end of the interval of the paired difference to chance.
    low
        Low end of the rate's interval.
    chance
        The rate of chance.
    """
    if gained <= 0:
        return LIKE_CHANCE
    return IDENTIFIES if low - chance >= IDENTIFYING_GAIN * (1 - chance) else LEAKS
