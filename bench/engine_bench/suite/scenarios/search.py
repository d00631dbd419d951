"""`search`: how much of what exact search finds is found at each breadth, and at what rate; queries are users' own."""

from __future__ import annotations

import copy
import time

import numpy as np

from engine_bench.suite.asking import TOP_K
from engine_bench.suite.histogram import Interval
from engine_bench.suite.medians import median
from engine_bench.suite.plan import Plan
from engine_bench.suite.record import Point, Row, StageTime
from engine_bench.suite.subject import Subject
from engine_bench.suite.windows import warm_up
from engine_runtime.search.hnsw import HnswIndex
from engine_runtime.search.index import Floats, Index
from engine_runtime.search.recall import exact_scores, recall_at

NAME = "search"
BREADTHS = (10, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512)
QUERIES = 2000


def run(subject: Subject, plan: Plan) -> Row:
    """Breadths in turn, as many rounds as the time allows; the figures are those of the index's own breadth."""
    users = subject.asking(plan.seed)
    queries = subject.engine.profile(users.slice(0, min(QUERIES, len(users)))).query
    index = subject.engine.shelf.index
    k = min(TOP_K, int(index.rankable.sum()))
    wanted = exact_scores(index.vectors, index.rankable, queries, k)
    contenders = _breadths(index, k)
    own = _name(index)
    recalls = {name: recall_at(wanted, each.search(queries, k)[0]) for name, each in contenders.items()}
    warm = warm_up(lambda: _seconds(contenders[own], queries, k))
    rates: dict[int, list[float]] = {name: [] for name in contenders}
    wall, cpu = time.perf_counter(), time.process_time()
    while len(rates[own]) < plan.rounds or time.perf_counter() - wall < plan.seconds:
        for name, each in contenders.items():
            rates[name].append(len(queries) / _seconds(each, queries, k))
    spent = StageTime(time.perf_counter() - wall, time.process_time() - cpu)
    asked = len(queries) * sum(map(len, rates.values()))
    return Row(
        scenario=NAME,
        quality=subject.quality,
        figures={
            "queries_per_second": median(rates[own]),
            "recall": Interval(recalls[own]),
            "breadth": Interval(float(own)),
            "cpu_seconds_per_1000_queries": Interval(1000 * spent.cpu / asked),
        },
        rounds={"queries_per_second": tuple(rates[own])},
        curve=tuple(
            Point({"breadth": float(name), "recall": recalls[name], "queries_per_second": float(np.median(rate))})
            for name, rate in rates.items()
        ),
        stages={"search": spent},
        notes=(f"{index.method} index; CPU seconds are those of all breadths together", *warm.notes),
    )


def _name(index: Index) -> int:
    """Breadth of an index; 0 of an exact one."""
    return index.ef if isinstance(index, HnswIndex) else 0


def _breadths(index: Index, k: int) -> dict[int, Index]:
    """The same graph at each breadth, rising, its own among them; an exact index has no breadth and is alone."""
    if not isinstance(index, HnswIndex):
        return {0: index}
    found: dict[int, Index] = {}
    for breadth in sorted({*(each for each in BREADTHS if each >= k), index.ef}):
        found[breadth] = view = copy.copy(index)
        view.ef = breadth
    return found


def _seconds(index: Index, queries: Floats, k: int) -> float:
    began = time.perf_counter()
    index.search(queries, k)
    return time.perf_counter() - began
