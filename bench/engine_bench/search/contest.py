"""One comparison of indexes: each is built, loaded, tuned to the same recall, and timed.

Knows the order of the steps; knows no contender's library, and nothing of how a result is shown. Every contender is
built in a fresh process and asked in another, which is idle while it is not its turn.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from engine_bench.fresh import ask
from engine_bench.rounds import Lap, Tell, run_rounds
from engine_bench.search.building import Built, Order
from engine_bench.search.contenders import OURS, Known, Recipe
from engine_bench.search.recall import Yardstick, least_breadth
from engine_bench.search.results import Contest, Pace, Point, Row
from engine_bench.search.seat import Seat
from engine_bench.search.vectors import Field, Floats
from engine_bench.statistics import percentile, ratios, spread
from engine_runtime.errors import EngineError

CURVE = (10, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1024)
CURVE_ROUNDS, CURVE_ENOUGH = 3, 0.999
SINGLE = 500
"""Queries that are asked one at a time; the curve is drawn with them, too."""


@dataclass(frozen=True)
class Setting:
    """How a comparison is run.

    Attributes
    ----------
    m, ef_construction
        How all graphs are built.
    k, target
        Items wanted of a query, and the recall that all are tuned to.
    threads
        Threads of the build and of searches on all cores.
    rounds
        How often each contender has its turn.
    """

    m: int
    ef_construction: int
    k: int
    target: float
    threads: int
    rounds: int


@dataclass(frozen=True)
class _Tuned:
    """The breadth that a contender is timed at, and its recall there; too low where none was enough."""

    ef: int
    recall: float
    enough: bool


def compete(members: Mapping[str, Known], field: Field, setting: Setting, tell: Tell) -> Contest:
    """Run the comparison.

    Parameters
    ----------
    members
        Who takes part; ours must be among them. Those that are not installed are left out.
    field
        What is searched.
    setting
        How.
    tell
        Told what happens, a line at a time.

    Raises
    ------
    EngineError
        Ours itself does not run.
    """
    with tempfile.TemporaryDirectory(prefix="engine-bench-") as scratch:
        return _Contest(Path(scratch), field, setting, tell).run(members)


class _Contest:
    """One run of the comparison, with its files in `folder`."""

    def __init__(self, folder: Path, field: Field, setting: Setting, tell: Tell) -> None:
        self._folder, self._field, self._setting, self._tell = folder, field, setting, tell
        self._left_out: dict[str, str] = {}
        self._items = self._write("items", field.items)
        self._queries = self._write("queries", field.queries)
        self._single = self._write("single", field.queries[:SINGLE])

    def run(self, members: Mapping[str, Known]) -> Contest:
        """All steps."""
        built = self._build(members)
        self._tell("exact search, the yardstick")
        timed, single = (Yardstick(self._field.items, queries, self._setting.k) for queries in self._timed)
        paces: dict[str, list[Pace]] = {name: [] for name in built}
        with self._seats(members, list(built), self._setting.threads) as seats:
            tuned = {seat.name: best for seat in seats if (best := self._tune(seat, timed))}
            if self._setting.threads > 1:
                self._time(seats, tuned, paces)
        names = [name for name in tuned if name not in self._left_out]
        with self._seats(members, names, 1) as seats:
            for seat in seats:
                seat.search(self._queries, self._setting.k, tuned[seat.name].ef)  # this warms them up
            self._time(seats, tuned, paces)
            curves = self._curves(seats, single)
        rows = [
            _row(seat, built[seat.name], tuned[seat.name], paces[seat.name], curves[seat.name])
            for seat in seats
            if seat.name not in self._left_out
        ]
        n_items, dim = self._field.items.shape
        counts = (len(self._timed[0]), len(self._timed[1]))
        return Contest(self._field.origin, n_items, dim, *counts, tuple(rows), self._left_out)

    @property
    def _timed(self) -> tuple[Floats, Floats]:
        """Queries that are timed: all in one call, and one at a time."""
        return self._field.queries, self._field.queries[:SINGLE]

    def _build(self, members: Mapping[str, Known]) -> dict[str, Built]:
        recipe = Recipe(self._setting.m, self._setting.ef_construction, self._setting.threads)
        built = {}
        for name, known in members.items():
            if known.absent is not None:
                self._out(name, known.absent)
                continue
            self._tell(f"building {name} over {len(self._field.items):,} vectors")
            order = Order(known, str(self._items), str(self._folder / name), recipe)
            try:
                built[name], _ = ask("engine_bench.search.building", order, Built, recipe.threads)
            except EngineError as error:
                self._out(name, str(error))
        return built

    @contextmanager
    def _seats(self, members: Mapping[str, Known], names: Sequence[str], threads: int) -> Iterator[list[Seat]]:
        """Loaded contenders; those that failed at their searches are out after it."""
        seats: list[Seat] = []
        with ExitStack() as stack:
            for name in names:
                try:
                    seat = Seat(name, members[name], self._folder / name, self._field.items.shape[1], threads)
                    seats.append(stack.enter_context(seat))
                except EngineError as error:
                    self._out(name, f"loading failed: {error}")
            yield seats
        self._drop(seats)

    def _drop(self, seats: Sequence[Seat]) -> None:
        for seat in seats:
            if seat.failed is not None:
                self._out(seat.name, seat.failed)

    def _tune(self, seat: Seat, yardstick: Yardstick) -> _Tuned | None:
        setting, recalls = self._setting, dict[int, float]()

        def recall_at(ef: int) -> float:
            done = seat.search(self._queries, setting.k, ef)
            recalls[ef] = yardstick.recall(seat.found) if done else 0.0
            return recalls[ef]

        best = least_breadth(recall_at, setting.target, setting.k)
        if seat.failed is not None:
            self._out(seat.name, seat.failed)
            return None
        breadth = max(recalls) if best is None else best
        if best is None and seat.name == OURS:
            raise EngineError(f"{OURS} reaches a recall of {recalls[breadth]:.4f} at most. Build with more links.")
        self._tell(f"{seat.name}: recall {recalls[breadth]:.4f} at ef {breadth}")
        return _Tuned(breadth, recalls[breadth], enough=best is not None)

    def _time(self, seats: Sequence[Seat], tuned: Mapping[str, _Tuned], paces: dict[str, list[Pace]]) -> None:
        """Rounds of all queries in one call, then of single ones."""
        files = (self._queries, self._single)
        for singly, queries, asked in zip((False, True), files, self._timed, strict=True):
            turns = {
                seat.name: partial(seat.search, queries, self._setting.k, tuned[seat.name].ef, singly=singly)
                for seat in seats
                if seat.name in tuned and tuned[seat.name].enough
            }
            laps = run_rounds(turns, self._setting.rounds, self._tell)
            self._drop(seats)
            for name in turns:
                if name not in self._left_out:
                    paces[name].append(_pace(seats[0].threads, singly, len(asked), laps[name], laps[OURS]))

    def _curves(self, seats: Sequence[Seat], yardstick: Yardstick) -> dict[str, list[Point]]:
        """Recall against rate, until a contender finds nearly everything."""
        curves: dict[str, list[Point]] = {seat.name: [] for seat in seats}
        going = list(seats)
        for ef in (ef for ef in CURVE if ef >= self._setting.k):
            turns = {seat.name: partial(seat.search, self._single, self._setting.k, ef) for seat in going}
            laps = run_rounds(turns, CURVE_ROUNDS, lambda message: None)
            for seat in going:
                if seat.failed is None:
                    count = len(self._timed[1])
                    curves[seat.name].append(_point(ef, yardstick.recall(seat.found), count, laps[seat.name]))
            going = [seat for seat in going if seat.failed is None and curves[seat.name][-1].recall < CURVE_ENOUGH]
        return curves

    def _out(self, name: str, why: str) -> None:
        if name == OURS:
            raise EngineError(f"{OURS} did not run: {why}")
        if name not in self._left_out:
            self._left_out[name] = why
            self._tell(f"{name} is left out: {why}")

    def _write(self, name: str, rows: Floats) -> Path:
        path = self._folder / f"{name}.npy"
        np.save(path, rows, allow_pickle=False)
        return path


def _row(seat: Seat, built: Built, tuned: _Tuned, paces: Sequence[Pace], curve: Sequence[Point]) -> Row:
    return Row(
        name=seat.name,
        settings=seat.loaded.settings,
        built=built,
        loaded=seat.loaded,
        ef=tuned.ef,
        recall=tuned.recall,
        paces=tuple(paces),
        curve=tuple(curve),
    )


def _pace(threads: int, singly: bool, count: int, laps: Sequence[Lap], ours: Sequence[Lap]) -> Pace:
    calls = [second for lap in laps for second in lap.wall]
    return Pace(
        threads=threads,
        singly=singly,
        laps=tuple(laps),
        rate=spread([count / lap.seconds for lap in laps]),
        p50=percentile(calls, 50),
        p99=percentile(calls, 99),
        ours=ratios([lap.seconds for lap in laps], [lap.seconds for lap in ours]),
        ours_cpu=ratios([lap.cpu for lap in laps], [lap.cpu for lap in ours]),
    )


def _point(ef: int, recall: float, count: int, laps: Sequence[Lap]) -> Point:
    return Point(ef, recall, spread([count / lap.seconds for lap in laps]), spread([count / lap.cpu for lap in laps]))
