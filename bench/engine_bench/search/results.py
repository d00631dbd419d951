"""What came out of a comparison of indexes; knows numbers alone. A rate is not kept apart from its recall."""

from __future__ import annotations

from dataclasses import dataclass

from engine_bench.fingerprint import Surroundings
from engine_bench.rounds import Lap
from engine_bench.search.building import Built
from engine_bench.search.searching import Loaded
from engine_bench.statistics import Spread


@dataclass(frozen=True)
class Pace:
    """How fast a contender was in one way of asking.

    Attributes
    ----------
    threads
        That it might keep busy.
    singly
        Whether each query came in a call of its own.
    laps
        All raw rounds.
    rate
        Queries a second of the clock.
    p50, p99
        Seconds of a call; of single queries these are percentiles over all rounds.
    ours, ours_cpu
        How many times ours is as fast, within the rounds: of the clock, and in CPU seconds.
    """

    threads: int
    singly: bool
    laps: tuple[Lap, ...]
    rate: Spread
    p50: float
    p99: float
    ours: Spread
    ours_cpu: Spread


@dataclass(frozen=True)
class Point:
    """One point of a curve: breadth, recall, queries a second on one thread and queries a second of CPU."""

    ef: int
    recall: float
    rate: Spread
    rate_cpu: Spread


@dataclass(frozen=True)
class Row:
    """What was measured of one contender.

    Attributes
    ----------
    name, settings
        Which, and how it ran.
    built, loaded
        What building and loading took.
    ef
        The least breadth that reaches the target, or the greatest that was tried where none does.
    recall
        Share that the timed queries find at that breadth.
    paces
        How fast, in each way of asking; none where the target was not reached.
    curve
        Recall against rate.
    """

    name: str
    settings: str
    built: Built
    loaded: Loaded
    ef: int
    recall: float
    paces: tuple[Pace, ...]
    curve: tuple[Point, ...]


@dataclass(frozen=True)
class Contest:
    """One set of vectors: what it was, who ran, and why the others did not."""

    origin: str
    n_items: int
    dim: int
    n_queries: int
    n_single: int
    rows: tuple[Row, ...]
    left_out: dict[str, str]


@dataclass(frozen=True)
class Found:
    """All contests, what was asked of them, and the machine.

    Attributes
    ----------
    machine
        What it was measured on.
    k, target
        Items wanted of a query, and the recall that all are tuned to.
    m, ef_construction
        How all graphs were built.
    rounds
        Turns of each contender.
    contests
        One for each set of vectors.
    """

    machine: Surroundings
    k: int
    target: float
    m: int
    ef_construction: int
    rounds: int
    contests: tuple[Contest, ...]
