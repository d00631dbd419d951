"""How raw numbers become inputs of a model: moments fitted over a data set, applied to any events.

Pure functions on arrays; knows nothing of files.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from engine_runtime.artefacts.dataset import Scale

CLIP = 5.0
"""Scaled inputs stay within plus and minus this many standard deviations."""
MIN_STD = 1e-6

Floats = npt.NDArray[np.float32] | npt.NDArray[np.float64]


@dataclass(frozen=True)
class Moments:
    """Count, mean and sum of squared deviations of some numbers."""

    count: int = 0
    mean: float = 0.0
    squares: float = 0.0

    def add(self, numbers: npt.NDArray[np.float64]) -> Moments:
        """Moments of these numbers and more, whose order is part of the last digits."""
        if not len(numbers):
            return self
        mean = float(numbers.mean())
        squares = float(((numbers - mean) ** 2).sum())
        total = self.count + len(numbers)
        shift = mean - self.mean
        return Moments(
            total,
            self.mean + shift * len(numbers) / total,
            self.squares + squares + shift * shift * self.count * len(numbers) / total,
        )

    def scale(self, *, log: bool) -> Scale:
        """Scale that gives mean 0 and deviation 1; where all numbers are equal the deviation counts as 1."""
        std = math.sqrt(self.squares / self.count) if self.count else 1.0
        return Scale(self.mean, std if std >= MIN_STD else 1.0, log)


def transform(numbers: Floats, *, log: bool) -> npt.NDArray[np.float64]:
    """Return ``sign(x) * log1p(abs(x))`` where `log`, else the numbers; NaN stays NaN."""
    wide = numbers.astype(np.float64)
    return np.sign(wide) * np.log1p(np.abs(wide)) if log else wide


def scaled(numbers: Floats, scale: Scale) -> npt.NDArray[np.float32]:
    """Scale numbers for a model.

    Parameters
    ----------
    numbers
        Any shape; NaN where a number is missing.
    scale
        As fitted.

    Returns
    -------
    float32 array of the same shape
        Within plus and minus `CLIP`; 0, the mean, where a number is missing.
    """
    centred = (transform(numbers, log=scale.log) - scale.mean) / scale.std
    clipped = np.clip(centred, -CLIP, CLIP).astype(np.float32)
    clipped[np.isnan(clipped)] = 0.0
    return clipped
