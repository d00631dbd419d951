"""`burst`: many users ask at once while the server is idle, then nobody does, several times.

Told are how long it takes until all of them are answered, and how long each has waited. The workers are those of
`server`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from engine_bench.suite.answering import Served, Server
from engine_bench.suite.histogram import Interval
from engine_bench.suite.medians import median
from engine_bench.suite.plan import Plan
from engine_bench.suite.record import Quality, Row
from engine_bench.suite.schedule import bursts
from engine_bench.suite.subject import Subject

NAME = "burst"
SIZE = 256
LEAST_BURSTS, MOST_BURSTS = 6, 20  # six are the least whose ends are a 95 % interval of their median
APART = 3.0
"""Times that a burst takes to be answered, until the next one begins: the server is idle for two thirds of the time."""


@dataclass(frozen=True)
class Measured:
    """What became of all bursts."""

    served: Served

    @property
    def seconds(self) -> tuple[float, ...]:
        """From the beginning of each burst until all of it was answered."""
        done, due = (moments.reshape(-1, SIZE) for moments in (self.served.answers.done, self.served.answers.due))
        return tuple(float(seconds) for seconds in done.max(axis=1) - due[:, 0])

    @property
    def met(self) -> int:
        """Bursts that began before the one before was answered."""
        begins = self.served.answers.due[::SIZE]
        return int(np.count_nonzero(begins[:-1] + np.array(self.seconds[:-1]) > begins[1:]))


def run(subject: Subject, plan: Plan) -> Row:
    """Measure it."""
    users = subject.asking(plan.seed)
    server = Server.start(subject.engine, users, subject.threads)
    measured = measure(server, plan.seconds)
    asked = users.take(np.arange(len(measured.served.answers.due)) % len(users))
    return replace(row(measured, str(server), subject.quality), tokens=subject.tokens(asked))


def measure(server: Server, seconds: float) -> Measured:
    """Send bursts for about so many seconds; one before them says how far apart they have to be."""
    apart = APART * server.serve(np.zeros(SIZE)).answers.seconds
    number = min(max(round(seconds / apart), LEAST_BURSTS), MOST_BURSTS)
    return Measured(server.serve(bursts(number, SIZE, apart)))


def row(measured: Measured, server: str, quality: Quality) -> Row:
    """The scenario's row; `server` says what answered."""
    answers, seconds = measured.served.answers, measured.seconds
    disturbed = [f"{measured.met} of {len(seconds)} bursts met a server that was not idle"] if measured.met else []
    return Row(
        scenario=NAME,
        quality=quality,
        figures={
            "all_answered_seconds": median(seconds),
            "requests": Interval(float(SIZE)),
            "p50_seconds": answers.latency.quantile(0.5),
            "p99_seconds": answers.latency.quantile(0.99),
            "requests_per_call": Interval(answers.per_call),
            "cpu_seconds_per_request": Interval(measured.served.cpu / len(answers.due)),
        },
        rounds={"all_answered_seconds": seconds},
        latency=answers.latency,
        service=answers.service,
        stages=measured.served.stages,
        notes=(server, *disturbed),
    )
