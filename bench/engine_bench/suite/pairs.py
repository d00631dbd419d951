"""Two builds measured now, in turn: each in a process of its own, on the same histories.

Knows seats and their order; knows nothing of how a build does its work. Turns come as A B B A, then B A A B, so that a
drift of the machine, and a drift that changes, meets both alike; four turns are one pair of measurements.

Three times are told. The clock has in it whatever else the machine did. CPU time has not, but a build that waits is
slower and spends no CPU time. So the verdict rests on a build's own seconds: those of the clock without those in which
it was ready to run and other processes had the CPU, which Linux counts. Elsewhere they are those of the clock. Exact is
the count for one thread at work; of several, their mean is taken.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from itertools import chain
from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt

from engine_bench.load import LoadWatch
from engine_bench.rounds import Tell
from engine_bench.seat import Contender, Seat
from engine_bench.suite import side
from engine_bench.suite.verdict import LEAST, Change, paired
from engine_models.metrics import Estimate, estimate, per_user, places
from engine_runtime.errors import MachineError, UsageError

OWN, CLOCK, CPU = "own seconds", "clock seconds", "CPU seconds"
TIMES = (CLOCK, OWN, CPU)  # as a side tells them
STAGES = ("profile", "recommend")
WARM_UP = 2
Turn = dict[str, float]


@dataclass(frozen=True)
class Side:
    """A build to measure.

    Attributes
    ----------
    python
        The interpreter that runs it.
    path
        PYTHONPATH that it runs with; None for that of this process.
    bundle, index
        What it serves.
    """

    python: str
    path: str | None
    bundle: Path
    index: Path


@dataclass(frozen=True)
class Work:
    """What both do: histories of `users` users of a data set, to profiles and recommendations, on so many threads."""

    dataset: Path
    users: int
    threads: int


@dataclass(frozen=True)
class Paired:
    """What was found.

    Attributes
    ----------
    settings
        How each side ran, by name, for people.
    changes
        Second side to first, by figure: `TIMES`, and those of each stage.
    rounds
        Raw, by figure and side: a number a pair.
    ndcg
        NDCG@10 of each user's last event, by side: speed is not told without it.
    alike
        Users to whom both recommend the same list, as a part of 1.
    foreign
        CPUs that other processes kept busy meanwhile; None where the system does not tell.
    """

    settings: dict[str, str]
    changes: dict[str, Change]
    rounds: dict[str, dict[str, tuple[float, ...]]]
    ndcg: dict[str, Estimate]
    alike: float
    foreign: float | None

    @property
    def verdict(self) -> str:
        """By the sides' own seconds."""
        return self.changes[OWN].verdict


def build_of(given: Path | None, bundle: Path, index: Path) -> Side:
    """The build that a path names: an interpreter, an environment, or a folder of code that goes before the others.

    Raises
    ------
    UsageError
        The path is none of these.
    """
    if given is None:
        return Side(sys.executable, None, bundle, index)
    interpreter = given / "bin/python" if (given / "bin/python").exists() else given
    if interpreter.is_file() and os.access(interpreter, os.X_OK):
        return Side(str(interpreter.absolute()), "", bundle, index)
    if not given.is_dir():
        raise UsageError(f"{given} is no build: give a Python interpreter, an environment, or a folder of code.")
    tree = given / "runtime" if (given / "runtime/engine_runtime").is_dir() else given
    before = os.environ.get("PYTHONPATH")
    return Side(sys.executable, os.pathsep.join(filter(None, (str(tree.absolute()), before))), bundle, index)


def compare_builds(
    sides: Mapping[str, Side], work: Work, pairs: int, folder: Path, tell: Tell, least: float = LEAST
) -> Paired:
    """Measure two builds.

    Parameters
    ----------
    sides
        Two, by name; the second is compared with the first.
    work
        What both do.
    pairs
        Measurements of each, of two turns each.
    folder
        Empty; for logs and results.
    tell
        Told what happens, a line at a time.
    least
        Size from which a difference counts, as a part of 1.

    Raises
    ------
    MachineError
        A side does not run; its last words are told.
    """
    give(sides, work, folder)
    with ExitStack() as stack:
        seats = [stack.enter_context(seat_of(name, each, work, folder, tell)) for name, each in sides.items()]
        for seat in seats * WARM_UP:
            one_turn(seat)
        turns: dict[str, list[Turn]] = {name: [] for name in sides}
        watch = LoadWatch.start()
        for number in range(pairs):
            for seat in abba(seats, number):
                turns[seat.name].append(one_turn(seat))
            tell(f"pair {number + 1} of {pairs}")
        own = sum(turn[CPU] for turn in chain(*turns.values()))
        lists = [_lists(seat) for seat in seats]
        return _found(seats, turns, lists, watch.foreign(own), least)


def abba(sides: Sequence[Seat], number: int) -> list[Seat]:
    """The order of the turns of pair `number`."""
    first, second = sides if number % 2 == 0 else sides[::-1]
    return [first, second, second, first]


def give(sides: Mapping[str, Side], work: Work, folder: Path) -> None:
    """Leave in `folder` what each side reads there."""
    for name, each in sides.items():
        given = {"bundle": each.bundle, "index": each.index, **asdict(work)}
        (folder / f"{name}.json").write_bytes(msgspec.json.encode(given, enc_hook=str))


def seat_of(name: str, each: Side, work: Work, folder: Path, tell: Tell) -> Seat:
    """The seat of one side; it is given its turns by `one_turn`."""
    return Seat(name, Contender(each.python, side.__file__, name, each.path), folder, work.threads, tell)


def one_turn(seat: Seat) -> Turn:
    """One turn's seconds, by figure; raises `MachineError` where the side does not run."""
    if seat.turn() is None:
        raise MachineError(f"{seat.name} does not run: {seat.failed}")
    with np.load(seat.kept, allow_pickle=False) as kept:
        stages = {name: kept[name] for name in STAGES}
    seconds = {"": sum(stages.values())} | {f"{name} ": each for name, each in stages.items()}
    return {
        name + time: float(each) for name, spent in seconds.items() for time, each in zip(TIMES, spent, strict=True)
    }


def _lists(seat: Seat) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32]]:
    with np.load(seat.kept, allow_pickle=False) as kept:
        return kept["lists"], kept["targets"]


def _found(
    seats: Sequence[Seat],
    turns: Mapping[str, Sequence[Turn]],
    lists: Sequence[tuple[npt.NDArray[np.int32], npt.NDArray[np.int32]]],
    foreign: float | None,
    least: float,
) -> Paired:
    figures = list(turns[seats[0].name][0])
    rounds = {figure: {name: _pairs(done, figure) for name, done in turns.items()} for figure in figures}
    return Paired(
        settings={seat.name: seat.settings for seat in seats},
        changes={figure: _change(figure, tuple(found.values()), least) for figure, found in rounds.items()},
        rounds=rounds,
        ndcg={
            seat.name: estimate(per_user(places(*found))["ndcg@10"]) for seat, found in zip(seats, lists, strict=True)
        },
        alike=float((lists[0][0] == lists[1][0]).all(1).mean()),
        foreign=foreign,
    )


def _change(figure: str, rounds: Sequence[Sequence[float]], least: float) -> Change:
    first, second = rounds
    return paired(figure, first, second, least)


def _pairs(turns: Sequence[Turn], figure: str) -> tuple[float, ...]:
    """Geometric means of the two turns of each pair."""
    seconds = np.array([turn[figure] for turn in turns]).reshape(-1, 2)
    return tuple(np.sqrt(seconds.prod(1)).tolist())
