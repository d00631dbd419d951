"""How the figures of a history moved."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from engine_bench.suite.card import Card
from engine_bench.suite.history import Group, groups, keep, read_history
from engine_bench.suite.trend import other_machines, trends
from tiny_records import CARD, record, row

MOVED = [100.0] * 5 + [80.0] * 5


def history(root: Path, rates: Iterable[float], card: Card = CARD, hour: int = 0) -> tuple[Group, ...]:
    """A run a minute, with another bundle from the sixth on."""
    for number, rate in enumerate(rates):
        started = f"2026-01-01T{hour:02}:{number:02}:00Z"
        made = record(row(rate=rate), card=card, commit=f"{number:012d}", started=started)
        artefacts = made.artefacts | {"bundle": "c"} if number >= 5 else made.artefacts
        keep(replace(made, artefacts=artefacts), root)
    return groups(read_history(root))


def test_a_step_is_told_with_its_commit_and_what_else_changed(tmp_path: Path) -> None:
    """The first run at the new level, and the artefacts that came with it."""
    (series,) = trends(history(tmp_path, MOVED))
    (step,) = series.steps
    assert series.figure == "offline users_per_second"
    assert series.runs[step.place].commit == "000000000005"
    assert step.change.verdict == "slower"
    assert series.changed == (("bundle",),)


def test_two_machines_are_two_series(tmp_path: Path) -> None:
    """A slower machine is no step, and what it differs in is told."""
    history(tmp_path, MOVED[:5])
    found = history(tmp_path, MOVED[5:], replace(CARD, cpus=1), hour=1)
    series = trends(found)
    assert [(len(each.runs), each.steps) for each in series] == [(5, ()), (5, ())]
    assert other_machines(found) == ("cpu-vnni: cpus: 2 and 1",)


def test_a_figure_is_asked_for_by_a_part_of_its_name(tmp_path: Path) -> None:
    """Others are left out, and so are values that a ratio cannot be made of."""
    found = history(tmp_path, [0.0, 1.0])
    assert trends(found, "bytes") == ()
    assert len(trends(found, "offline users")[0].runs) == 1
