"""Requests that come when they come: each is timed from the moment at which it was due, whatever the server was doing.

A client that waits for an answer before it asks again stops asking just when the server is slow, and so leaves out the
worst of what its users would have met (Gil Tene's coordinated omission). Here the schedule is known before the run.
Workers that are ready stand in line: the first sleeps until the next request is due, takes all that are due by then up
to a limit, and answers them in one call; so those that wait together share a call, as in a server, and nothing waits
for others to come. What is due and not taken is the queue; no thread has to send it, so none can fall behind.

Knows times and calls, and gets the clock as an argument; knows nothing of engines.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt

from engine_bench.suite.histogram import Histogram
from engine_bench.suite.schedule import Times

Requests = npt.NDArray[np.int64]
"""Numbers of requests in the order of their schedule: int64 [requests]."""

Serve = Callable[[Requests], object]
"""Answers some requests in one call; each worker has one of its own."""

LATE_SECONDS = 1e-3


@dataclass(frozen=True)
class Clock:
    """How the time is told, and how it is passed without keeping a CPU busy; both in seconds."""

    now: Callable[[], float] = time.perf_counter
    sleep: Callable[[float], object] = time.sleep


REAL = Clock()


@dataclass(frozen=True)
class Answers:
    """What became of each request.

    Attributes
    ----------
    due, begun, done
        float64 [requests]: seconds from the start of the run to the moment of the schedule, to the call that answers
        it, and to the answer.
    late
        bool [requests]: a worker was ready and took it more than `LATE_SECONDS` after it was due. Then the machine did
        not keep the schedule.
    calls
        In which they were answered.
    """

    due: Times
    begun: Times
    done: Times
    late: npt.NDArray[np.bool_]
    calls: int

    @property
    def latency(self) -> Histogram:
        """From the moment of the schedule to the answer."""
        return Histogram.of(self.done - self.due)

    @property
    def service(self) -> Histogram:
        """From the beginning of the call to the answer."""
        return Histogram.of(self.done - self.begun)

    @property
    def late_share(self) -> float:
        """Of all requests, those that were taken late."""
        return float(self.late.mean()) if len(self.late) else 0.0

    @property
    def per_call(self) -> float:
        """Requests that were answered in one call, on average."""
        return len(self.due) / max(self.calls, 1)

    @property
    def seconds(self) -> float:
        """From the start to the last answer."""
        return float(self.done.max(initial=0.0))


def open_loop(workers: Sequence[Serve], due: Times, limit: int, clock: Clock = REAL) -> Answers:
    """Answer requests that come by a schedule.

    Parameters
    ----------
    workers
        Each runs in a thread of its own. With a clock that is not real there may be one alone.
    due
        The schedule.
    limit
        Requests answered in one call, at most.
    clock
        What the time is.

    Raises
    ------
    Exception
        What a worker raised; the others end then, too.
    """
    desk = _Desk(due, limit, clock)
    _together([partial(desk.work, serve) for serve in workers], desk.close)
    return Answers(due, desk.begun, desk.done, desk.late, desk.calls)


def closed_loop(workers: Sequence[Serve], count: int, clock: Clock = REAL) -> Answers:
    """Answer `count` requests, each worker one after another: what a client finds that waits before it asks again.

    A request counts as due when it is sent, which is what is wrong with such a measurement. Parameters and errors are
    those of `open_loop`.
    """
    begun, done = np.zeros(count), np.zeros(count)
    numbers, start = iter(range(count)), clock.now()  # which threads may share

    def work(serve: Serve) -> None:
        for number in numbers:
            begun[number] = clock.now() - start
            serve(np.array([number]))
            done[number] = clock.now() - start

    _together([partial(work, serve) for serve in workers], lambda: list(numbers))
    return Answers(begun, begun, done, np.zeros(count, np.bool_), count)


class _Desk:
    """Where workers that are ready stand in line for requests; `_turn` is held by the first of the line."""

    def __init__(self, due: Times, limit: int, clock: Clock) -> None:
        self._due, self._limit, self._clock = due, limit, clock
        self._next, self._closed, self._turn = 0, False, threading.Lock()
        self._start = clock.now()
        self.begun, self.done, self.late = np.zeros(len(due)), np.zeros(len(due)), np.zeros(len(due), np.bool_)
        self.calls = 0

    def work(self, serve: Serve) -> None:
        """Answer requests until there are no more."""
        while (taken := self._take()) is not None:
            serve(np.arange(taken.start, taken.stop))
            self.done[taken] = self._now()

    def close(self) -> None:
        """Let nobody take another request."""
        self._closed = True

    def _now(self) -> float:
        return self._clock.now() - self._start

    def _take(self) -> slice | None:
        """Wait for what is next and take all that is due by then; None after the last."""
        ready = self._now()
        with self._turn:
            first = self._next
            if self._closed or first == len(self._due):
                return None
            while (early := self._due[first] - self._now()) > 0:
                self._clock.sleep(early)
            now = self._now()
            stop = min(first + self._limit, int(np.searchsorted(self._due, now, side="right")))
            taken = slice(first, stop)
            self.begun[taken] = now
            self.late[taken] = now - np.maximum(self._due[taken], ready) > LATE_SECONDS
            self.calls += 1
            self._next = stop
            return taken


def _together(tasks: Sequence[Callable[[], None]], stop: Callable[[], object]) -> None:
    """Run each task in a thread; where one fails, tell the others to stop, and raise what it raised."""
    with ThreadPoolExecutor(len(tasks)) as pool:
        try:
            running = [pool.submit(task) for task in tasks]
            wait(running, return_when=FIRST_EXCEPTION)
        finally:
            stop()
    for task in running:
        task.result()
