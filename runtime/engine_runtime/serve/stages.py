"""Where the time of a run went. Knows stages by their names; knows nothing of what they do."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass
class Stages:
    """Wall seconds spent in each stage of a run, and the users that it served in them."""

    seconds: dict[str, float] = field(default_factory=dict)
    users: int = 0

    @contextmanager
    def timed(self, stage: str) -> Iterator[None]:
        """Add the time inside the context to `stage`."""
        started = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[stage] = self.seconds.get(stage, 0.0) + time.perf_counter() - started
