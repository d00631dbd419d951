"""`soak`: whether memory grows with the number of batches; resident memory is read between batches of users."""

from __future__ import annotations

import time

import numpy as np

from engine_bench.memory import resident_memory
from engine_bench.suite.asking import answer, told
from engine_bench.suite.histogram import Interval
from engine_bench.suite.plan import Plan
from engine_bench.suite.record import Point, Row
from engine_bench.suite.subject import Subject
from engine_runtime.serve.stages import Stages

NAME = "soak"
USERS = 64
EVERY = 20
LEAST_READINGS = 8
MOST_GROWTH = 8 << 20
"""Bytes for 1,000 batches; more is noted."""


def run(subject: Subject, plan: Plan) -> Row:
    """Batches of users until the time is up; the slope is that of the second half, when all buffers are there."""
    users, stages, batches = subject.asking(plan.seed), Stages(), 0
    readings: list[tuple[int, int]] = []
    cpu, end = time.process_time(), time.perf_counter() + plan.seconds
    while len(readings) < LEAST_READINGS or time.perf_counter() < end:
        for _ in range(EVERY):
            rows = np.arange(batches * USERS, (batches + 1) * USERS) % len(users)
            answer(subject.engine, users.take(rows), stages)
            batches += 1
        readings.append((batches, resident_memory()))
    cpu = time.process_time() - cpu
    growth = slope(readings[len(readings) // 2 :])
    grew = (f"resident memory grew by {growth / 1e6:.1f} MB for 1,000 batches",) if growth > MOST_GROWTH else ()
    return Row(
        scenario=NAME,
        quality=subject.quality,
        figures={
            "growth_bytes_per_1000_batches": Interval(growth),
            "resident_bytes": Interval(float(readings[-1][1])),
            "batches": Interval(float(batches)),
            "cpu_seconds_per_1000_batches": Interval(1000 * cpu / batches),
        },
        curve=tuple(Point({"batches": float(at), "resident_bytes": float(held)}) for at, held in readings),
        stages=told(stages),
        notes=(f"batches of {USERS} users", *grew),
    )


def slope(readings: list[tuple[int, int]]) -> float:
    """Bytes for 1,000 batches: the median of the slopes between all pairs (Theil, 1950; Sen, 1968)."""
    at, held = np.array(readings, np.float64).T
    one, other = np.triu_indices(len(at), 1)
    return float(1000 * np.median((held[other] - held[one]) / (at[other] - at[one])))
