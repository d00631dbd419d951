"""A server that stalls once, time that passes only when it is told to, and what a schedule says of the waiting."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from engine_bench.suite.open_loop import Clock, Requests, Serve


class VirtualTime:
    """Time that passes in `sleep` alone, by so much more than was asked for as `oversleep` says; for one thread."""

    def __init__(self, oversleep: float = 0.0) -> None:
        self.seconds = 0.0
        self.clock = Clock(lambda: self.seconds, lambda seconds: self.spend(seconds + oversleep))

    def spend(self, seconds: float) -> None:
        """Let time pass: as a real clock, a little even where so few seconds are lost in rounding."""
        self.seconds = max(self.seconds + seconds, math.nextafter(self.seconds, math.inf))


def stalling(serve: Serve, request: int, seconds: float, sleep: Callable[[float], object]) -> Serve:
    """A server like `serve` that stands still before it answers one of the requests."""

    def stalled(requests: Requests) -> None:
        if request in requests:
            sleep(seconds)
        serve(requests)

    return stalled


def waits(due: npt.NDArray[np.float64], service: float, request: int, seconds: float) -> npt.NDArray[np.float64]:
    """Latencies that follow from a schedule, one request after another: float64 [requests].

    Each takes `service` seconds, and one of them `seconds` more; it begins when it is due and the one before is done
    (Lindley's recursion).
    """
    free, latencies = 0.0, np.zeros(len(due))
    for number, moment in enumerate(due):
        free = max(free, moment) + service + (seconds if number == request else 0.0)
        latencies[number] = free - moment
    return latencies
