"""Two kept records beside each other: whether they may be compared, and how each figure changed.

Knows records; knows nothing of how they were measured. What is not comparable is refused with every difference, never
averaged and never guessed at.
"""

from __future__ import annotations

from dataclasses import dataclass

from engine_bench.suite.card import differences
from engine_bench.suite.record import Record, Row
from engine_bench.suite.verdict import LEAST, Change, apart
from engine_runtime.errors import ArtefactError, InputError

WORKLOAD = "dataset"
"""Of a record's artefacts the one that is no part of the build: two of these are never compared."""


@dataclass(frozen=True)
class Finding:
    """One figure of one scenario, in the second record to the first, with the medians of both."""

    scenario: str
    figure: str
    first: float
    second: float
    change: Change


def compare_records(
    one: Record, other: Record, *, other_artefact: bool = False, least: float = LEAST
) -> tuple[Finding, ...]:
    """Compare every figure that both records have raw rounds of.

    Parameters
    ----------
    one, other
        Of the same target and machine.
    other_artefact
        Whether their bundles, indexes or variants may differ.
    least
        Size from which a difference counts, as a part of 1.

    Raises
    ------
    ArtefactError
        They do not hold for the same target, machine or artefacts; each difference is named.
    InputError
        They have no figure in common.
    """
    if found := _apart(one, other, other_artefact):
        raise ArtefactError(
            "these records are not compared, for they differ in\n  "
            + "\n  ".join(found)
            + "\nMeasure both on one machine: `engine bench compare --against` does."
        )
    pairs = ((row, other.row(row.scenario)) for row in one.rows)
    findings = tuple(each for row, same in pairs if same is not None for each in _findings(row, same, least))
    if not findings:
        raise InputError("these records have no figure with rounds in common. Run the same scenarios in both.")
    return findings


def _apart(one: Record, other: Record, other_artefact: bool) -> list[str]:
    found = [] if one.target == other.target else [f"target: {one.target} and {other.target}"]
    found += differences(one.machine, other.machine)
    names = sorted(one.artefacts.keys() | other.artefacts.keys())
    for name in names:
        first, second = (record.artefacts.get(name, "none") for record in (one, other))
        if first != second and (name == WORKLOAD or not other_artefact):
            way_out = "" if name == WORKLOAD else " (--other-artefact compares them all the same)"
            found.append(f"{name}: {first[:12]} and {second[:12]}{way_out}")
    return found


def _findings(row: Row, same: Row, least: float) -> list[Finding]:
    return [
        Finding(
            row.scenario,
            figure,
            row.figures[figure].value,
            same.figures[figure].value,
            apart(figure, rounds, same.rounds[figure], least),
        )
        for figure, rounds in row.rounds.items()
        if figure in same.rounds and min(*rounds, *same.rounds[figure]) > 0
    ]
