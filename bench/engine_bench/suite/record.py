"""What a run of the suite found: a row for each scenario, with the machine and the artefacts that it holds for.

Knows the shape of a result; knows nothing of how it was measured or how it is shown. A speed without the quality of the
very artefact that ran is no result: a row cannot be made without one.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from engine_bench.suite.card import Card
from engine_bench.suite.histogram import Histogram, Interval
from engine_runtime.artefacts.writing import write_document
from engine_runtime.errors import ArtefactError, InputError

SCHEMA = 1


@dataclass(frozen=True)
class Quality:
    """How good the artefact is that was measured.

    Attributes
    ----------
    parity
        Figures of the bundle's parity report for the variant that ran, by name (``text cosine_mean``, ..).
    ndcg, recall
        At 10, of the users' last events over the whole catalogue with seen items masked, ranked as the run ranked.
    n_users
        Users that were asked for.
    """

    parity: dict[str, float]
    ndcg: Interval
    recall: Interval
    n_users: int


@dataclass(frozen=True)
class StageTime:
    """Wall and CPU seconds of one stage of the work."""

    wall: float
    cpu: float


@dataclass(frozen=True)
class Point:
    """One point of a curve: named figures measured together, such as a rate and the p99 at that rate."""

    figures: dict[str, float]


@dataclass(frozen=True)
class Row:
    """One scenario.

    Attributes
    ----------
    scenario
        Its name.
    quality
        Of what ran.
    figures
        What it comes to, by name with the unit at its end: ``users_per_second``, ``peak_bytes``, ``cpu_seconds``.
    rounds
        The raw measurements behind the figures that were measured in rounds, by the same names.
    latency
        Durations from the scheduled time of each request to its answer; None where there are no requests.
    service
        The same from the time that work on it began.
    curve
        Points of a curve, where the scenario is one.
    stages
        Where the time went.
    tokens
        Positions that the models computed, and those of them that were real: ``real``, ``padded``; empty if none.
    foreign
        CPUs that other processes kept busy meanwhile; None where the system does not tell.
    notes
        What a reader must know.
    """

    scenario: str
    quality: Quality
    figures: dict[str, Interval]
    rounds: dict[str, tuple[float, ...]] = field(default_factory=dict)
    latency: Histogram | None = None
    service: Histogram | None = None
    curve: tuple[Point, ...] = ()
    stages: dict[str, StageTime] = field(default_factory=dict)
    tokens: dict[str, int] = field(default_factory=dict)
    foreign: float | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Record:
    """One run of the suite on one target.

    Attributes
    ----------
    target
        Its name.
    machine
        What it ran on.
    artefacts
        Digests of what was measured, by kind; with the variant's name under ``precision``.
    commit
        Of the source tree; None outside of one.
    started
        UTC, ISO 8601.
    seconds
        How long the run took.
    rows
        One a scenario.
    schema
        Of this document.
    """

    target: str
    machine: Card
    artefacts: dict[str, str]
    commit: str | None
    started: str
    seconds: float
    rows: tuple[Row, ...]
    schema: int = SCHEMA

    def row(self, scenario: str) -> Row | None:
        """The row of a scenario, if it ran."""
        return next((row for row in self.rows if row.scenario == scenario), None)


def save(record: Record, path: Path) -> None:
    """Write a record as JSON, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_document(path, record)


def load(path: Path) -> Record:
    """Read a record.

    Raises
    ------
    InputError
        There is no such file.
    ArtefactError
        It is no record, or one of another schema.
    """
    try:
        record = msgspec.json.decode(path.read_bytes(), type=Record)
    except FileNotFoundError as error:
        raise InputError(f"there is no record at {path}. `engine bench run --out` writes one.") from error
    except (OSError, msgspec.MsgspecError) as error:
        raise ArtefactError(f"{path} is no record of the suite: {error}. Run `engine bench run` again.") from error
    if record.schema != SCHEMA:
        raise ArtefactError(f"{path} has schema {record.schema}, this version reads {SCHEMA}. Run the suite again.")
    return record
