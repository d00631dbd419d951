"""`cold`: from the start of a process to its first vector: import, load with verification, session, first run."""

from __future__ import annotations

import time

import numpy as np

from engine_bench.fresh import ask
from engine_bench.suite.cold_child import Question, Start
from engine_bench.suite.histogram import Interval
from engine_bench.suite.medians import median
from engine_bench.suite.plan import Plan
from engine_bench.suite.record import Row, StageTime
from engine_bench.suite.subject import Subject
from engine_runtime.data.schema import TEXT
from engine_runtime.data.stored import read_catalogue

NAME = "cold"
STAGES = ("import", "load and verify", "session", "first run")
MODULE = "engine_bench.suite.cold_child"


def run(subject: Subject, plan: Plan) -> Row:
    """Start processes one after another until the time is up, but at least as many as the plan has rounds.

    One before them brings the files into the system's cache: it is the process that is cold, not the disk.
    """
    engine = subject.engine
    text = str(read_catalogue(subject.dataset.items)[TEXT][0])
    question = Question(
        str(engine.bundle.root), str(subject.index), engine.precision, engine.provider, subject.threads, text
    )
    ask(MODULE, question, Start, subject.threads)
    starts: list[tuple[Start, float]] = []
    end = time.perf_counter() + plan.seconds
    while len(starts) < plan.rounds or time.perf_counter() < end:
        starts.append(ask(MODULE, question, Start, subject.threads))
    seconds = tuple(start.moments[-1] - began for start, began in starts)
    cpu = tuple(start.cpu[-1] for start, _ in starts)
    return Row(
        scenario=NAME,
        quality=subject.quality,
        figures={
            "first_vector_seconds": median(seconds),
            "cpu_seconds": median(cpu),
            "peak_bytes": Interval(float(max(start.peak for start, _ in starts))),
        },
        rounds={"first_vector_seconds": seconds, "cpu_seconds": cpu},
        stages=_stages(starts),
        notes=("files were in the system's cache; stages are medians over the processes",),
    )


def _stages(starts: list[tuple[Start, float]]) -> dict[str, StageTime]:
    wall = np.median([np.diff([began, *start.moments]) for start, began in starts], axis=0)
    cpu = np.median([np.diff([0.0, *start.cpu]) for start, _ in starts], axis=0)
    return {name: StageTime(float(one), float(two)) for name, one, two in zip(STAGES, wall, cpu, strict=True)}
