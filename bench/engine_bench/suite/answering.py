"""A server: workers, each of which answers requests with one thread and sessions of its own.

A request is a user's history; its answer is their profile and their best `TOP_K` items, worked out anew each time.
Knows the engine; knows nothing of when requests come.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np

from engine_bench.suite.open_loop import REAL, Answers, Clock, Requests, Serve, open_loop
from engine_bench.suite.record import StageTime
from engine_bench.suite.schedule import Times
from engine_runtime.data.histories import Histories
from engine_runtime.serve.engine import Engine

TOP_K = 10
MOST_TOGETHER = 32
"""Requests that a server answers in one call, where so many wait."""
NOTHING = StageTime(0.0, 0.0)


class Answerer:
    """One worker.

    Parameters
    ----------
    engine
        Of one thread, shared with no other worker.
    asking
        Histories of those who ask, in that order, from the first again after the last.
    """

    def __init__(self, engine: Engine, asking: Histories) -> None:
        self._engine, self._asking = engine, asking
        self._spent: dict[str, StageTime] = {}

    def __call__(self, requests: Requests) -> None:
        """Answer some requests in one call."""
        users = self._asking.take(requests % len(self._asking))
        with self._timed("profile"):
            profiles = self._engine.profile(users)
        with self._timed("recommend"):
            self._engine.recommend(profiles, TOP_K)

    def spent(self) -> dict[str, StageTime]:
        """Where the time went since this was asked last.

        CPU seconds are those of the worker's own thread: of histories with so many events together that the refiner
        hands them to a thread of its own, the profile's are left out.
        """
        spent, self._spent = self._spent, {}
        return spent

    @contextmanager
    def _timed(self, stage: str) -> Iterator[None]:
        wall, cpu = time.perf_counter(), time.thread_time()
        yield
        before = self._spent.get(stage, NOTHING)
        self._spent[stage] = StageTime(before.wall + time.perf_counter() - wall, before.cpu + time.thread_time() - cpu)


@dataclass(frozen=True)
class Served:
    """A run: what became of each request, CPU seconds of the process meanwhile, and where the workers' time went."""

    answers: Answers
    cpu: float
    stages: dict[str, StageTime]


@dataclass(frozen=True)
class Server:
    """Workers that serve together.

    Attributes
    ----------
    workers
        Each answers in a thread of its own.
    spent
        Where the time of all of them went since this was asked last.
    clock
        What the time is.
    """

    workers: Sequence[Serve]
    spent: Callable[[], dict[str, StageTime]] = dict
    clock: Clock = REAL

    @classmethod
    def start(cls, engine: Engine, asking: Histories, count: int) -> Server:
        """So many workers with what they need loaded, for users that ask in their order; one alone for a GPU."""
        count = count if engine.provider == "cpu" else 1
        workers = [Answerer(engine.with_threads(1), asking) for _ in range(count)]
        for worker in workers:
            worker(np.arange(1))
        return cls(workers, lambda: _added(worker.spent() for worker in workers))

    def __str__(self) -> str:
        return (
            f"{len(self.workers)} workers of one thread; a call answers up to {MOST_TOGETHER} requests that wait "
            "together"
        )

    def serve(self, due: Times) -> Served:
        """Answer requests that come by a schedule."""
        self.spent()
        cpu = time.process_time()
        answers = open_loop(self.workers, due, MOST_TOGETHER, self.clock)
        return Served(answers, time.process_time() - cpu, self.spent())


def _added(spent: Iterable[dict[str, StageTime]]) -> dict[str, StageTime]:
    sums: dict[str, StageTime] = {}
    for stage, one in itertools.chain.from_iterable(stages.items() for stages in spent):
        before = sums.get(stage, NOTHING)
        sums[stage] = StageTime(before.wall + one.wall, before.cpu + one.cpu)
    return sums
