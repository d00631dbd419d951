"""Where the time of a run went. Knows stages by their names; knows nothing of what they do."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass
class Stages:
    """What one process, or several of them together, spent in each stage of a run.

    Attributes
    ----------
    seconds
        Wall seconds by stage. Those of several processes are added up, so they may be more than the run took.
    cpu_seconds
        Seconds of processors by stage, of all threads of a process. Where they are less than `seconds`, the process
        waited: for a disk, or for a processor that did something else.
    users
        Users served.
    processes
        That served buckets side by side.
    cpus
        That they might keep busy, with the threads of each.
    """

    seconds: dict[str, float] = field(default_factory=dict)
    cpu_seconds: dict[str, float] = field(default_factory=dict)
    users: int = 0
    processes: int = 1
    cpus: int = 1

    @property
    def slowest(self) -> str:
        """The stage that took most of the time; empty where nothing was done."""
        return max(self.seconds, key=lambda stage: self.seconds[stage], default="")

    @property
    def floor(self) -> float:
        """Seconds of the slowest stage, shared evenly by the processes: the run's, if all other stages took no time."""
        return self.seconds.get(self.slowest, 0.0) / self.processes

    def busy(self, seconds: float) -> float:
        """Share of a run's seconds that its CPUs were at work."""
        return sum(self.cpu_seconds.values()) / max(seconds * self.cpus, 1e-9)

    @contextmanager
    def timed(self, stage: str) -> Iterator[None]:
        """Add the time inside the context to `stage`."""
        started, worked = time.perf_counter(), time.process_time()
        try:
            yield
        finally:
            _add(self.seconds, stage, time.perf_counter() - started)
            _add(self.cpu_seconds, stage, time.process_time() - worked)

    def merge(self, other: Stages) -> None:
        """Add what another process did, or this one at another time."""
        for stage, seconds in other.seconds.items():
            _add(self.seconds, stage, seconds)
        for stage, seconds in other.cpu_seconds.items():
            _add(self.cpu_seconds, stage, seconds)
        self.users += other.users


def _add(sums: dict[str, float], stage: str, seconds: float) -> None:
    sums[stage] = sums.get(stage, 0.0) + seconds
