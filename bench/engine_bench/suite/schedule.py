"""When requests come: moments in seconds from the start of a run, made before it and independent of any answer.

Knows numbers alone. The same seed gives the same pattern at every rate, only faster or slower, so two rates differ by
nothing but their rate.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Times = npt.NDArray[np.float64]
"""Moments in rising order: float64 [requests], in seconds."""


def poisson(rate: float, count: int, seed: int) -> Times:
    """Moments of `count` requests of many users who know nothing of each other, on average `rate` a second.

    Raises
    ------
    ValueError
        `rate` is not above 0.
    """
    if not rate > 0:
        raise ValueError(f"requests cannot come at a rate of {rate:g} a second.")
    gaps = np.random.default_rng(seed).exponential(size=count)
    return np.cumsum(gaps) / rate


def bursts(number: int, size: int, apart: float) -> Times:
    """Moments of `number` bursts, each of `size` requests at once; a burst begins `apart` seconds after the last."""
    return np.repeat(np.arange(number, dtype=np.float64) * apart, size)
