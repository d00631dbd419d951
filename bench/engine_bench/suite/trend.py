"""How the figures of a history moved: each figure of each scenario as a series, with its steps.

Knows records and `steps`; knows nothing of folders or of how a trend is shown. Runs of two machines are two series.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from engine_bench.suite.card import Card, differences
from engine_bench.suite.history import Group, Kept, short
from engine_bench.suite.steps import LEAST, Step, find_steps


@dataclass(frozen=True)
class Run:
    """One point: when and of what it was measured, and its value."""

    started: str
    commit: str
    value: float


@dataclass(frozen=True)
class Series:
    """One figure over the runs of one target on one machine.

    Attributes
    ----------
    target, card
        Name and digest of the machine's card.
    figure
        Scenario and figure.
    runs
        In order of time.
    steps
        Where it moved; `Step.place` counts in `runs`.
    changed
        Of each step, the artefacts that are others than in the run before.
    """

    target: str
    card: str
    figure: str
    runs: tuple[Run, ...]
    steps: tuple[Step, ...]
    changed: tuple[tuple[str, ...], ...]


def trends(groups: Iterable[Group], wanted: str | None = None, least: float = LEAST) -> tuple[Series, ...]:
    """Series of every figure whose name has `wanted` in it. Steps are ratios: a value of 0 is left out."""
    names = ((group, name) for group in groups for name in _figures(group))
    found = (_series(group, *name, least) for group, name in names if wanted is None or wanted in " ".join(name))
    return tuple(series for series in found if series.runs)


def other_machines(groups: Iterable[Group]) -> tuple[str, ...]:
    """What each group's machine differs in from that of the target's group before it, a line each."""
    lines: list[str] = []
    last: dict[str, Card] = {}
    for group in groups:
        card = group.records[0].record.machine
        if group.target in last:
            lines += (f"{group.target}: {line}" for line in differences(last[group.target], card))
        last[group.target] = card
    return tuple(lines)


def _figures(group: Group) -> list[tuple[str, str]]:
    """Scenario and figure of everything that a record of the group tells, in order and once."""
    rows = (row for kept in group.records for row in kept.record.rows)
    return list(dict.fromkeys((row.scenario, figure) for row in rows for figure in row.figures))


def _series(group: Group, scenario: str, figure: str, least: float) -> Series:
    rows = ((kept, kept.record.row(scenario)) for kept in group.records)
    told = [(kept, row.figures[figure].value) for kept, row in rows if row is not None and figure in row.figures]
    measured = [(kept, value) for kept, value in told if value > 0]
    steps = find_steps(figure, [value for _, value in measured], least)
    return Series(
        target=group.target,
        card=group.records[0].record.machine.digest,
        figure=f"{scenario} {figure}",
        runs=tuple(Run(kept.record.started, short(kept.record.commit), value) for kept, value in measured),
        steps=steps,
        changed=tuple(_changed(measured[step.place - 1][0], measured[step.place][0]) for step in steps),
    )


def _changed(before: Kept, after: Kept) -> tuple[str, ...]:
    one, other = before.record.artefacts, after.record.artefacts
    return tuple(name for name in sorted(one.keys() | other.keys()) if one.get(name) != other.get(name))
