"""The highest rate at which a server keeps its service level, found by halving.

A rate is kept where the 99th percentile of the latency, from each request's moment in the schedule, stays within the
service level, and less than `MOST_LATE` of the requests came late: with more, the machine did not keep the schedule and
the rate was not what it is called. Knows rates and answers; knows nothing of servers.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from engine_bench.suite.open_loop import Answers
from engine_bench.suite.record import Point, StageTime

MOST_LATE = 0.01
LEAST_REQUESTS = 1000  # what a 99th percentile takes
OVERLOAD = 0.02
CLOSE = 0.04
RAISE = 1.3


@dataclass(frozen=True)
class Trial:
    """A run at one rate.

    Attributes
    ----------
    rate
        Requests a second.
    answers
        What became of each.
    cpu
        CPU seconds of the process meanwhile.
    stages
        Where the workers' time went.
    """

    rate: float
    answers: Answers
    cpu: float = 0.0
    stages: dict[str, StageTime] = field(default_factory=dict)

    @property
    def p99(self) -> float:
        """Of the latency, in seconds."""
        return self.answers.latency.quantile(0.99).value

    @property
    def point(self) -> Point:
        """The trial as a point of the curve of latency over rate."""
        answers, latency = self.answers, self.answers.latency
        return Point(
            {
                "requests_per_second": self.rate,
                "p50_seconds": latency.quantile(0.5).value,
                "p99_seconds": self.p99,
                "late_share": answers.late_share,
                "requests": float(len(answers.due)),
                "requests_per_call": answers.per_call,
            }
        )

    def refusal(self, level: float) -> str:
        """Why this rate is not kept at a service level of `level` seconds; empty where it is."""
        if self.answers.late_share >= MOST_LATE:
            return f"{self.answers.late_share:.1%} of the requests came late: the machine did not keep the schedule"
        return f"p99 {self.p99:.3g} s" if self.p99 > level else ""


@dataclass(frozen=True)
class Search:
    """What a search found.

    Attributes
    ----------
    trials
        All runs, in their order.
    kept
        The one with the highest rate that was kept; None where none was.
    refused
        The one with the lowest rate that was not; None where the time was up before.
    """

    trials: tuple[Trial, ...]
    kept: Trial | None
    refused: Trial | None


def requests_at(rate: float, level: float, most_seconds: float) -> int:
    """How many requests a trial at `rate` takes.

    Enough for a 99th percentile, and for so long that a rate `OVERLOAD` above what the server can do leaves a queue
    longer than the service level, but of the latter no more than `most_seconds` of them.
    """
    return max(LEAST_REQUESTS, round(rate * min(level / OVERLOAD, most_seconds)))


def highest_rate(run: Callable[[float], Trial], guess: float, level: float, time_is_up: Callable[[], bool]) -> Search:
    """Search for the highest rate that is kept.

    Parameters
    ----------
    run
        Makes a trial at a rate.
    guess
        Requests a second that should be too many. It is raised while it is kept.
    level
        Service level: seconds that the 99th percentile may take.
    time_is_up
        Asked before each further trial. Without it the search ends where the rates that are kept and not are within
        `CLOSE` of each other.
    """
    trials = [run(guess)]
    while not trials[-1].refusal(level) and not time_is_up():
        trials.append(run(trials[-1].rate * RAISE))
    while not time_is_up():
        found = _outcome(trials, level)
        low, high = found.kept.rate if found.kept else 0.0, found.refused.rate if found.refused else 0.0
        if high - low <= CLOSE * guess:
            break
        trials.append(run((low + high) / 2))
    return _outcome(trials, level)


def _outcome(trials: list[Trial], level: float) -> Search:
    """The search narrows from both sides, so every rate that was kept lies below every one that was refused."""
    kept = [trial for trial in trials if not trial.refusal(level)]
    refused = [trial for trial in trials if trial.refusal(level)]
    return Search(
        tuple(trials),
        max(kept, key=lambda trial: trial.rate, default=None),
        min(refused, key=lambda trial: trial.rate, default=None),
    )
