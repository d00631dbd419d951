"""Whether the bench finds a planted slow-down, and only that: ``make alarms``.

The planted build is a folder that goes first on PYTHONPATH. Python imports the ``sitecustomize`` in it before anything
else, and that makes `Engine.recommend` sleep for a tenth of the CPU time that it took. One comparison has to find it,
twenty of the build with itself may raise one alarm, and in a history of thirty runs, the last ten of them planted, the
trend has to show the step within one run of its place, and no other.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import click
import numpy as np

from engine_bench.seat import Seat
from engine_bench.suite.card import read_card
from engine_bench.suite.drawing import draw
from engine_bench.suite.histogram import Interval
from engine_bench.suite.history import groups, keep, read_history
from engine_bench.suite.pairs import CLOCK, CPU, OWN, Side, Work, build_of, compare_builds, give, one_turn, seat_of
from engine_bench.suite.record import Quality, Record, Row
from engine_bench.suite.steps import levels
from engine_bench.suite.trend import trends
from engine_bench.suite.verdict import SAME

PLANTED = """
import time

from engine_runtime.serve.engine import Engine

recommend = Engine.recommend


def slower(*given):
    began = time.process_time()
    found = recommend(*given)
    time.sleep({share} * (time.process_time() - began))
    return found


Engine.recommend = slower
"""
FIGURES = {CLOCK: "clock_seconds", OWN: "own_seconds", CPU: "cpu_seconds"}
UNTOLD = Quality({}, Interval(0.0), Interval(0.0), 0)  # nobody reads the quality of these records


@dataclass(frozen=True)
class Trial:
    """What is measured: the build as it is and the planted one, what both do, and how long."""

    same: Side
    planted: Side
    work: Work
    pairs: int
    turns: int


def plant(folder: Path, share: float) -> Path:
    """Make a build in which one stage takes `share` longer."""
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(PLANTED.format(share=share))
    return folder


def verdict(one: Side, other: Side, trial: Trial, name: str) -> str:
    """Compare two builds, and say what was found."""
    with tempfile.TemporaryDirectory() as folder:
        sides = {"first": one, "second": other}
        found = compare_builds(sides, trial.work, trial.pairs, Path(folder), lambda line: None)
    told = "; ".join(
        f"{figure} {change.ratio:.3f} [{change.low:.3f}, {change.high:.3f}] {change.verdict}"
        for figure, change in found.changes.items()
        if figure in FIGURES
    )
    click.echo(
        f"{name}: {told}; found from {found.changes[OWN].findable:.1%} on, {found.foreign or 0:.1f} CPUs foreign"
    )
    return found.verdict


def measure(each: Side, trial: Trial) -> Record:
    """One run of a history: medians over the turns of a process of its own."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        give({"run": each}, trial.work, folder)
        with seat_of("run", each, trial.work, folder, lambda line: None) as seat:
            rounds = _rounds(seat, trial.turns)
    figures = {named: Interval(float(np.median(rounds[named]))) for named in rounds}
    started = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    row = Row("offline", UNTOLD, figures, rounds)
    return Record("alarms", read_card(), {}, None, started, sum(rounds[FIGURES[CLOCK]]), (row,))


def _rounds(seat: Seat, turns: int) -> dict[str, tuple[float, ...]]:
    spent = [one_turn(seat) for _ in range(turns + 2)][2:]
    return {named: tuple(turn[figure] for turn in spent) for figure, named in FIGURES.items()}


def history(trial: Trial, runs: int, root: Path) -> bool:
    """Keep `runs` records, the last third of them planted; whether the trend shows where it begins, and no more."""
    place = runs * 2 // 3
    for number in range(runs):
        keep(measure(trial.same if number < place else trial.planted, trial), root)
        click.echo(f"run {number + 1} of {runs}")
    series = {each.figure.removeprefix("offline "): each for each in trends(groups(read_history(root)))}
    for each in series.values():
        values = [run.value for run in each.runs]
        click.echo("\n".join([each.figure, *draw(values, levels(values, each.steps))]))
        for step in each.steps:
            change = step.change
            click.echo(f"  from run {step.place}: {change.ratio:.3f} [{change.low:.3f}, {change.high:.3f}]")
    steps = series[FIGURES[OWN]].steps
    return len(steps) == 1 and abs(steps[0].place - place) <= 1 and steps[0].change.ratio > 1


def main(arguments: Sequence[str]) -> int:
    """Run all three, and say how many did as they should."""
    options = argparse.ArgumentParser(description=__doc__)
    for name in ("bundle", "index", "events"):
        options.add_argument(f"--{name}", type=Path, required=True)
    for name, number in (("users", 800), ("pairs", 16), ("comparisons", 20), ("runs", 30), ("turns", 8)):
        options.add_argument(f"--{name}", type=int, default=number)
    options.add_argument("--share", type=float, default=0.1)
    given = options.parse_args(arguments)
    with tempfile.TemporaryDirectory() as name:
        same, planted = (
            build_of(path, given.bundle, given.index) for path in (None, plant(Path(name, "planted"), given.share))
        )
        trial = Trial(same, planted, Work(given.events, given.users, 1), given.pairs, given.turns)
        found = verdict(same, planted, trial, "planted") == "slower"
        repeats = range(given.comparisons)
        alarms = sum(verdict(same, same, trial, f"same build {number + 1}") != SAME for number in repeats)
        stepped = history(trial, given.runs, Path(name, "history"))
    click.echo(f"planted slow-down found: {found}; alarms: {alarms} of {given.comparisons}; step found: {stepped}")
    return 0 if found and alarms <= 1 and stepped else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
