"""How long and how often is measured; numbers alone."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Plan:
    """What all scenarios are held to.

    Attributes
    ----------
    seconds
        That one scenario may take, about; the least counts come first.
    rounds
        Least rounds of what is measured in rounds: six are the least whose ends are a 95 % interval of their median.
    requests
        Least requests behind a latency: a thousand tell a 99th percentile.
    seed
        Of every random choice.
    """

    seconds: float = 50.0
    rounds: int = 6
    requests: int = 1000
    seed: int = 0
