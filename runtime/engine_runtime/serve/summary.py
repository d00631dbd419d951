"""The summary of a run of `serve-batch`: whence its output comes, what was counted, where the time went, on what.

It stands outside the output, whose digest must not depend on a clock or a machine. Holds no identifier of a user or an
item. Knows how it is written; knows nothing of how users are served.
"""

from __future__ import annotations

import platform
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from engine_runtime.artefacts.output import Output, OutputInfo
from engine_runtime.artefacts.writing import write_document
from engine_runtime.errors import UsageError
from engine_runtime.inference.machine import this_machine
from engine_runtime.process import peak_memory, peak_memory_of_children
from engine_runtime.serve.watch import Watch

LIBRARIES = ("onnxruntime", "onnxruntime-gpu", "tokenizers", "hnswlib", "numpy", "pyarrow", "duckdb")
SCHEMA = 1


@dataclass(frozen=True)
class StageTime:
    """Seconds in a stage: by the clock, and of CPU."""

    wall_seconds: float
    cpu_seconds: float


@dataclass(frozen=True)
class MachineUsed:
    """What a run ran on: the processor's name, CPUs that the process may use, the system, versions of libraries."""

    processor: str
    cpus: int
    system: str
    versions: dict[str, str]


@dataclass(frozen=True)
class RunSummary:
    """A finished run.

    Attributes
    ----------
    schema
        Version of this document; a field that is added does not raise it, one that changes its meaning does.
    creator
        Name and version of the program.
    output, digest
        Where the output is, and the digest of its manifest.
    parents
        Digests of the bundle, the index and the data set that it was made from, by kind.
    info
        What the output holds.
    options
        Of the command, as they were given or by default.
    resumed
        Whether parts of an earlier run were kept.
    earlier_users, earlier_parts
        How many those were.
    served_users, served_events, served_parts
        Done by this run.
    rejects
        Rows refused when the data set was made, by reason.
    started, ended
        In UTC, RFC 3339.
    seconds
        Of serving; reading the artefacts before it is not counted.
    users_per_second
        Served by this run; None where it had none to serve.
    stages
        Where the time went, of all workers together.
    peak_memory_bytes, worker_peak_memory_bytes
        Most memory that the process has had, and the largest of its worker processes, which shares pages with it; None
        where the system does not count it or there was none.
    machine
        What it ran on.
    """

    schema: int
    creator: str
    output: str
    digest: str
    parents: dict[str, str]
    info: OutputInfo
    options: dict[str, Any]
    resumed: bool
    earlier_users: int
    earlier_parts: int
    served_users: int
    served_events: int
    served_parts: int
    rejects: dict[str, int]
    started: str
    ended: str
    seconds: float
    users_per_second: float | None
    stages: dict[str, StageTime]
    peak_memory_bytes: int | None
    worker_peak_memory_bytes: int | None
    machine: MachineUsed


def summarise(watch: Watch, output: Output, options: Mapping[str, Any]) -> RunSummary:
    """Sum up a run that has ended well, now."""
    walls, cpus = watch.stages.seconds, watch.stages.cpu_seconds
    return RunSummary(
        schema=SCHEMA,
        creator=watch.creator,
        output=str(output.root),
        digest=output.manifest.digest,
        parents=output.manifest.parents,
        info=output.info,
        options=dict(options),
        resumed=watch.earlier_parts > 0,
        earlier_users=watch.earlier_users,
        earlier_parts=watch.earlier_parts,
        served_users=watch.users,
        served_events=watch.events,
        served_parts=watch.parts,
        rejects=watch.rejects,
        started=_utc(datetime.fromtimestamp(watch.began, UTC)),
        ended=_utc(datetime.now(UTC)),
        seconds=watch.seconds,
        users_per_second=watch.users / watch.seconds if watch.users and watch.seconds else None,
        stages={name: StageTime(wall, cpus.get(name, 0.0)) for name, wall in walls.items()},
        peak_memory_bytes=peak_memory(),
        worker_peak_memory_bytes=peak_memory_of_children(),
        machine=_machine(),
    )


def check_place(path: Path, out: Path) -> None:
    """Refuse, before the work, a place that a summary cannot go to; raises `UsageError`."""
    place = path.absolute()
    if not place.parent.is_dir():
        raise UsageError(f"the summary was to go to {path}, but {path.parent} is no folder. Make it first.")
    if path.is_dir():
        raise UsageError(f"the summary was to go to {path}, which is a folder. Name a file.")
    if place == out.absolute() or out.absolute() in place.parents:
        raise UsageError(f"the summary was to go to {path}, inside the output. Name a file beside {out}.")


def write_summary(path: Path, summary: RunSummary) -> None:
    """Write a summary, whole or not at all."""
    write_document(path, summary)


def _utc(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _machine() -> MachineUsed:
    found = this_machine()
    versions = {"python": platform.python_version()}
    for name in LIBRARIES:
        try:
            versions[name] = version(name)
        except PackageNotFoundError:  # one of the two ONNX Runtimes is there
            continue
    return MachineUsed(found.processor, found.cpus, platform.platform(), versions)
