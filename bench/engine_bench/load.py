"""Who else kept the machine busy while something was measured.

Knows Linux's counters, and does without them elsewhere; knows nothing of what is measured.
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path

STAT = Path("/proc/stat")

# Of /proc/stat: user, nice, system, irq, softirq, steal. Time of guests is in user already.
BUSY = (0, 1, 2, 5, 6, 7)


@dataclass(frozen=True)
class LoadWatch:
    """A span of time in which the machine's busy CPUs are counted.

    Attributes
    ----------
    wall
        Clock at the start, in seconds.
    busy
        CPU seconds that the machine had spent by then; None where the system does not tell.
    """

    wall: float
    busy: float | None

    @classmethod
    def start(cls) -> LoadWatch:
        """Begin to watch."""
        return cls(time.perf_counter(), busy_seconds())

    def foreign(self, own: float) -> float | None:
        """CPUs kept busy by others since the start, on average, where `own` CPU seconds were one's own."""
        now = busy_seconds()
        if now is None or self.busy is None:
            return None
        return max(0.0, now - self.busy - own) / max(time.perf_counter() - self.wall, 1e-9)


def busy_seconds() -> float | None:
    """CPU seconds that this machine has spent on anything, or that were taken from it; None where it does not tell."""
    if not STAT.exists():
        return None
    fields = STAT.read_text().split("\n", 1)[0].split()[1:]
    return sum(int(fields[place]) for place in BUSY if place < len(fields)) / os.sysconf("SC_CLK_TCK")
