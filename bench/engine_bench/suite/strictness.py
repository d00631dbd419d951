"""Foreign load: what else the machine did while a scenario ran, noted in its row, and refused where it must not be.

Knows rows and counters; knows nothing of what is measured.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import replace

from engine_bench.load import LoadWatch
from engine_bench.suite.record import Row
from engine_runtime.errors import MachineError

MOST_FOREIGN = 0.1
"""CPUs that others may keep busy, on average over a scenario, in a run that counts as undisturbed."""


def watched(run: Callable[[], Row]) -> Row:
    """Run a scenario; its row says how many CPUs others kept busy meanwhile, and notes it where that is too much."""
    watch, before = LoadWatch.start(), own_seconds()
    row = run()
    foreign = watch.foreign(own_seconds() - before)
    row = replace(row, foreign=foreign)
    return replace(row, notes=(*row.notes, _note(foreign))) if foreign and disturbed(row) else row


def own_seconds() -> float:
    """CPU seconds of this process, and of its children that have ended."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def disturbed(row: Row) -> bool:
    """Whether others kept more than `MOST_FOREIGN` CPUs busy; not where the system does not tell."""
    return row.foreign is not None and row.foreign > MOST_FOREIGN


def refuse_disturbed(rows: Sequence[Row]) -> None:
    """Raise `MachineError` that names the scenarios that ran under foreign load, or where that is not known."""
    loads = [f"{row.scenario} {row.foreign:.2f}" for row in rows if row.foreign is not None and disturbed(row)]
    if loads:
        raise MachineError(
            f"other processes kept the machine busy, in CPUs: {', '.join(loads)}; --strict allows {MOST_FOREIGN:g}. "
            "Stop them and run again."
        )
    if unknown := [row.scenario for row in rows if row.foreign is None]:
        raise MachineError(
            f"this system does not tell whether others kept it busy ({', '.join(unknown)}), as --strict has to know. "
            "Run without --strict."
        )


def _note(foreign: float) -> str:
    return f"measured under load: others kept {foreign:.2f} CPUs busy"
