"""`single`: one user at a time, each asked as soon as the one before has their ten recommendations: a closed loop."""

from __future__ import annotations

import time

from engine_bench.suite.asking import answer, told
from engine_bench.suite.histogram import Histogram, Interval
from engine_bench.suite.plan import Plan
from engine_bench.suite.record import Row
from engine_bench.suite.subject import Subject
from engine_bench.suite.windows import warm_up
from engine_runtime.serve.stages import Stages

NAME = "single"
WINDOW = 50


def run(subject: Subject, plan: Plan) -> Row:
    """Ask until the time is up, but at least as often as the plan says."""
    users = subject.asking(plan.seed)
    asked = 0

    def one(stages: Stages) -> float:
        nonlocal asked
        place = asked % len(users)
        asked += 1
        began = time.perf_counter()
        answer(subject.engine, users.slice(place, place + 1), stages)
        return time.perf_counter() - began

    warm = warm_up(lambda: sum(one(Stages()) for _ in range(WINDOW)))
    seconds: list[float] = []
    stages, first = Stages(), asked
    cpu, end = time.process_time(), time.perf_counter() + plan.seconds
    while len(seconds) < plan.requests or time.perf_counter() < end:
        seconds.append(one(stages))
    cpu = time.process_time() - cpu
    latency = Histogram.of(seconds)
    quantiles = {"p50": 0.5, "p90": 0.9, "p95": 0.95, "p99": 0.99, "p999": 0.999}
    read = users.take([place % len(users) for place in range(first, asked)])
    return Row(
        scenario=NAME,
        quality=subject.quality,
        figures={
            **{f"{name}_seconds": latency.quantile(at) for name, at in quantiles.items() if latency.supports(at)},
            "requests_per_second": Interval(len(seconds) / latency.total),
            "cpu_seconds_per_request": Interval(cpu / len(seconds)),
        },
        latency=latency,
        service=latency,
        stages=told(stages),
        tokens=subject.tokens(read),
        notes=warm.notes,
    )
