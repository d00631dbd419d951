"""`server`: users ask when they like, and the highest rate is searched whose p99 keeps the target's service level.

An open loop: requests come by a Poisson process, and each is timed from the moment of its schedule
(`engine_bench.suite.open_loop`). There are as many workers as threads, each with one thread; a call answers those
requests that wait together, up to a limit (`engine_bench.suite.answering`). Beside it stands what a closed loop would
have reported, in which every worker is asked again as soon as it has answered.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from engine_bench.suite.answering import Server
from engine_bench.suite.histogram import Interval
from engine_bench.suite.open_loop import Answers, closed_loop
from engine_bench.suite.plan import Plan
from engine_bench.suite.record import Quality, Row
from engine_bench.suite.schedule import poisson
from engine_bench.suite.subject import Subject
from engine_bench.suite.sustained import LEAST_REQUESTS, OVERLOAD, Search, Trial, highest_rate, requests_at

NAME = "server"
TRIALS = 10
"""Trials that the time of the scenario has to be enough for."""
SHARES = (0.25, 0.5, 0.75)
"""Of the rate that is kept: where else the curve is measured."""


@dataclass(frozen=True)
class Setting:
    """How it is measured.

    Attributes
    ----------
    level
        Service level: seconds that the 99th percentile of the latency may take.
    seconds
        That all may take together, about.
    seed
        Of the arrivals.
    """

    level: float
    seconds: float
    seed: int

    @property
    def most_seconds(self) -> float:
        """Of one trial, where it has requests enough by then."""
        return self.seconds / TRIALS

    @property
    def hidden_overload(self) -> float:
        """A rate that is above what the server can do by less than this may be kept in a trial."""
        return max(OVERLOAD, self.level / self.most_seconds)


@dataclass(frozen=True)
class Measured:
    """What was found: a closed loop, the search, and the trials at lower rates for the curve."""

    closed: Answers
    search: Search
    lower: tuple[Trial, ...]

    @property
    def told(self) -> Trial:
        """The trial whose latencies are told: at the rate that was kept, else at the lowest that was tried."""
        return self.search.kept or min(self.search.trials, key=lambda trial: trial.rate)


def run(subject: Subject, plan: Plan) -> Row:
    """Measure it."""
    setting = Setting(subject.target.service.p99_seconds, plan.seconds, plan.seed)
    users = subject.asking(plan.seed)
    server = Server.start(subject.engine, users, subject.threads)
    measured = measure(server, setting)
    asked = users.take(np.arange(len(measured.told.answers.due)) % len(users))
    return replace(row(measured, setting, str(server), subject.quality), tokens=subject.tokens(asked))


def measure(server: Server, setting: Setting) -> Measured:
    """Search for the highest rate and measure the curve below it.

    The search begins at what the workers do where all requests wait from the start.
    """
    now = server.clock.now
    end = now() + setting.seconds * (1 - len(SHARES) / TRIALS)

    def trial(rate: float) -> Trial:
        count = requests_at(rate, setting.level, setting.most_seconds)
        served = server.serve(poisson(rate, count, setting.seed))
        return Trial(rate, served.answers, served.cpu, served.stages)

    closed = closed_loop(server.workers, LEAST_REQUESTS, server.clock)
    backlog = server.serve(np.zeros(LEAST_REQUESTS)).answers
    search = highest_rate(trial, LEAST_REQUESTS / backlog.seconds, setting.level, lambda: now() > end)
    lower = tuple(trial(search.kept.rate * share) for share in SHARES) if search.kept else ()
    return Measured(closed, search, lower)


def row(measured: Measured, setting: Setting, server: str, quality: Quality) -> Row:
    """The scenario's row; `server` says what answered."""
    told, closed, search = measured.told, measured.closed, measured.search
    latency = told.answers.latency
    trials = sorted((*search.trials, *measured.lower), key=lambda trial: trial.rate)
    return Row(
        scenario=NAME,
        quality=quality,
        figures={
            "requests_per_second": Interval(search.kept.rate if search.kept else 0.0),
            "p50_seconds": latency.quantile(0.5),
            "p99_seconds": latency.quantile(0.99),
            "service_level_seconds": Interval(setting.level),
            "late_share": Interval(told.answers.late_share),
            "requests_per_call": Interval(told.answers.per_call),
            "cpu_seconds_per_request": Interval(told.cpu / len(told.answers.due)),
            "closed_loop_requests_per_second": Interval(len(closed.due) / closed.seconds),
            "closed_loop_p50_seconds": closed.latency.quantile(0.5),
            "closed_loop_p99_seconds": closed.latency.quantile(0.99),
        },
        latency=latency,
        service=told.answers.service,
        curve=tuple(trial.point for trial in trials),
        stages=told.stages,
        notes=(server, *_notes(measured, setting)),
    )


def _notes(measured: Measured, setting: Setting) -> list[str]:
    kept, refused, told = measured.search.kept, measured.search.refused, measured.told
    notes = []
    if kept is None:
        why = told.refusal(setting.level)
        notes.append(
            f"no rate was kept; latencies are those of the lowest tried, {told.rate:.0f} requests a second: {why}"
        )
    if kept and refused:
        notes.append(f"{refused.rate:.0f} requests a second were too many: {refused.refusal(setting.level)}")
    if refused is None:
        notes.append("the time was up before a rate was too many")
    if setting.hidden_overload > OVERLOAD:
        notes.append(f"trials were too short to show an overload of less than {setting.hidden_overload:.0%}")
    return notes
