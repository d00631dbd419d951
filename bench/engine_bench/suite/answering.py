"""A server's workers: each answers requests with one thread and sessions of its own.

A request is a user's history; its answer is their profile and their best `TOP_K` items, worked out anew each time.
Knows the engine; knows nothing of when requests come.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from engine_bench.suite.open_loop import Requests
from engine_bench.suite.record import StageTime
from engine_runtime.data.histories import Histories
from engine_runtime.serve.engine import Engine

TOP_K = 10
MOST_TOGETHER = 32
"""Requests that a server answers in one call, where so many wait."""


class Answerer:
    """One worker.

    Parameters
    ----------
    engine
        Of one thread, shared with no other worker.
    histories
        Of those who may ask.
    asking
        int64 [n]: rows of `histories` in the order in which they ask, from the first again after the last.
    """

    def __init__(self, engine: Engine, histories: Histories, asking: Requests) -> None:
        self._engine, self._histories, self._asking = engine, histories, asking
        self._spent: dict[str, StageTime] = {}

    def __call__(self, requests: Requests) -> None:
        """Answer some requests in one call."""
        users = self._histories.take(self._asking[requests % len(self._asking)])
        with self._timed("profile"):
            profiles = self._engine.profile(users)
        with self._timed("recommend"):
            self._engine.recommend(profiles, TOP_K)

    def spent(self) -> dict[str, StageTime]:
        """Where the time went since this was asked last."""
        spent, self._spent = self._spent, {}
        return spent

    @contextmanager
    def _timed(self, stage: str) -> Iterator[None]:
        wall, cpu = time.perf_counter(), time.thread_time()
        yield
        before = self._spent.get(stage, StageTime(0.0, 0.0))
        self._spent[stage] = StageTime(before.wall + time.perf_counter() - wall, before.cpu + time.thread_time() - cpu)


def answerers(engine: Engine, histories: Histories, count: int, seed: int) -> list[Answerer]:
    """So many workers with what they need loaded, for users that ask in a random order."""
    asking = np.random.default_rng(seed).permutation(len(histories))
    made = [Answerer(engine.with_threads(1), histories, asking) for _ in range(count)]
    for worker in made:
        worker(np.arange(1))
        worker.spent()
    return made


def together(workers: list[Answerer]) -> dict[str, StageTime]:
    """Where the time of all workers went since this was asked last."""
    stages: dict[str, StageTime] = {}
    for spent in (worker.spent() for worker in workers):
        for stage, one in spent.items():
            before = stages.get(stage, StageTime(0.0, 0.0))
            stages[stage] = StageTime(before.wall + one.wall, before.cpu + one.cpu)
    return stages
