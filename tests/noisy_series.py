"""Series of runs as a shared machine gives them: near each other, drifting, and now and then one far off."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

DRIFT = 0.7
SPREAD = 0.01


def rates(seed: int, count: int, step: tuple[int, float] | None = None) -> npt.NDArray[np.float64]:
    """Users a second in `count` runs; from run `step[0]` on less by the factor ``1 + step[1]``.

    Their logarithm is a drift, autoregressive with 1 % of deviation, and noise of Student's distribution with three
    degrees of freedom, 1 % in scale; one run in 25 is 5 to 20 % slower than it should be.
    """
    generator = np.random.default_rng(seed)
    pushes = generator.normal(size=count) * math.sqrt(1 - DRIFT**2)
    drift = np.zeros(count)
    for run in range(count):
        drift[run] = pushes[run] + (DRIFT * drift[run - 1] if run else 0)
    bad = np.where(generator.random(count) < 0.04, generator.uniform(0.05, 0.2, count), 0)
    logs = SPREAD * (drift + generator.standard_t(3, count)) - bad
    if step is not None:
        logs[step[0] :] -= math.log1p(step[1])
    return 100 * np.exp(logs)
