"""Warm-up until what is measured has settled; knows durations alone.

As in NVIDIA's perf_analyzer: windows are measured until the last three lie within a tenth of each other.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

WITHIN = 0.1
ALIKE = 3
MOST_WINDOWS = 10


@dataclass(frozen=True)
class WarmUp:
    """What became of a warm-up: the windows' figures, and whether the last ones were alike."""

    windows: tuple[float, ...]
    stable: bool

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader must know: that it never settled."""
        if self.stable:
            return ()
        return (f"not stable after {len(self.windows)} windows of warm-up: {ALIKE} never lay within {WITHIN:.0%}",)


def warm_up(window: Callable[[], float]) -> WarmUp:
    """Measure windows until `ALIKE` in a row lie within `WITHIN`, at most `MOST_WINDOWS`.

    Parameters
    ----------
    window
        Does the work of one window; its figure, such as seconds.
    """
    found: list[float] = []
    while len(found) < MOST_WINDOWS:
        found.append(window())
        last = found[-ALIKE:]
        if len(last) == ALIKE and max(last) <= (1 + WITHIN) * min(last):
            return WarmUp(tuple(found), stable=True)
    return WarmUp(tuple(found), stable=False)
