"""The suite run: scenarios one after another on one subject, and the record that comes of it.

Knows the registry; knows nothing of how a record is kept or shown.
"""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from engine_bench.suite.card import Card
from engine_bench.suite.plan import Plan
from engine_bench.suite.record import Record
from engine_bench.suite.registry import SCENARIOS
from engine_bench.suite.strictness import watched
from engine_bench.suite.subject import Subject
from engine_runtime.errors import UsageError


def chosen(names: str) -> tuple[str, ...]:
    """Scenarios from names separated by commas, in the order of the suite; all for an empty text.

    Raises
    ------
    UsageError
        One is not known.
    """
    wanted = {name.strip() for name in names.split(",") if name.strip()}
    if unknown := sorted(wanted - SCENARIOS.keys()):
        raise UsageError(f"there is no scenario '{unknown[0]}'. There are {', '.join(SCENARIOS)}.")
    return tuple(name for name in SCENARIOS if not wanted or name in wanted)


def run_suite(subject: Subject, plan: Plan, card: Card, names: Sequence[str], tell: Callable[[str], object]) -> Record:
    """Run scenarios of `SCENARIOS` by `names`; `tell` hears which one begins."""
    started, began = datetime.now(UTC), time.perf_counter()
    rows = []
    for name in names:
        tell(f"{name}: measuring for about {plan.seconds:.0f} s")
        rows.append(watched(partial(SCENARIOS[name], subject, plan)))
    engine = subject.engine
    return Record(
        target=subject.target.name,
        machine=card,
        artefacts={
            "bundle": engine.bundle.manifest.digest,
            "index": str(engine.index_digest),
            "dataset": subject.dataset.manifest.digest,
            "precision": engine.precision,
        },
        commit=commit(Path(__file__).parent),
        started=started.strftime("%Y-%m-%dT%H:%M:%SZ"),
        seconds=time.perf_counter() - began,
        rows=tuple(rows),
    )


def commit(folder: Path) -> str | None:
    """The commit that a folder's source tree is at; None outside of one."""
    try:
        command = ["git", "-C", str(folder), "rev-parse", "HEAD"]
        found = subprocess.run(command, capture_output=True, text=True, timeout=20, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return found.stdout.strip() or None
