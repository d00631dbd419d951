"""`offline`: all users at once, from histories to profiles and rankings, in rounds."""

from __future__ import annotations

import time

from engine_bench.memory import peak_memory
from engine_bench.suite.asking import answer, told
from engine_bench.suite.histogram import Interval
from engine_bench.suite.medians import median
from engine_bench.suite.plan import Plan
from engine_bench.suite.record import Row
from engine_bench.suite.subject import Subject
from engine_bench.suite.windows import warm_up
from engine_runtime.serve.stages import Stages

NAME = "offline"
BLOCK = 4096
WARM = 512


def run(subject: Subject, plan: Plan) -> Row:
    """Rounds over all users until the time is up, but at least as many as the plan says."""
    users, stages = subject.histories, Stages()

    def one(most: int, stages: Stages) -> tuple[float, float]:
        wall, cpu = time.perf_counter(), time.process_time()
        for start in range(0, most, BLOCK):
            answer(subject.engine, users.slice(start, min(start + BLOCK, most)), stages)
        return time.perf_counter() - wall, time.process_time() - cpu

    warm = warm_up(lambda: one(min(WARM, len(users)), Stages())[0])
    rounds: list[tuple[float, float]] = []
    end = time.perf_counter() + plan.seconds
    while len(rounds) < plan.rounds or time.perf_counter() < end:
        rounds.append(one(len(users), stages))
    rates = tuple(len(users) / wall for wall, _ in rounds)
    work = tuple(1000 * cpu / len(users) for _, cpu in rounds)
    return Row(
        scenario=NAME,
        quality=subject.quality,
        figures={
            "users_per_second": median(rates),
            "cpu_seconds_per_1000_users": median(work),
            "peak_bytes": Interval(float(peak_memory())),
        },
        rounds={"users_per_second": rates, "cpu_seconds_per_1000_users": work},
        stages=told(stages),
        tokens={name: count * len(rounds) for name, count in subject.tokens(users).items()},
        notes=warm.notes,
    )
