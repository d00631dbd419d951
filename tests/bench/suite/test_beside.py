"""Two kept records beside each other."""

from __future__ import annotations

from dataclasses import replace

import pytest

from engine_bench.suite.beside import compare_records
from engine_bench.suite.verdict import SAME
from engine_runtime.errors import ArtefactError, InputError
from tiny_records import CARD, record, row

BEFORE, AFTER = (100.0, 101.0, 99.0, 100.0, 102.0), (80.0, 81.0, 79.0, 80.0, 82.0)


def test_figures_with_rounds_are_compared() -> None:
    """The second record to the first; a scenario that one of them lacks is passed over."""
    one, other = record(row(rounds=BEFORE), row("cold")), record(row(rounds=AFTER), row("soak", rounds=AFTER))
    (finding,) = compare_records(one, other)
    assert (finding.scenario, finding.figure, finding.change.verdict) == ("offline", "users_per_second", "slower")
    assert compare_records(one, one)[0].change.verdict == SAME


def test_two_machines_are_not_compared() -> None:
    """Every difference is named on a line of its own."""
    other = record(row(rounds=AFTER), card=replace(CARD, cpus=64, libraries={"numpy": "1"}))
    with pytest.raises(ArtefactError, match=r"\n  cpus: 2 and 64\n  libraries numpy: 2 and 1\n") as raised:
        compare_records(record(row(rounds=BEFORE)), other)
    assert raised.value.exit_code == 5


def test_two_targets_are_not_compared() -> None:
    """Nor where the machine is the same."""
    with pytest.raises(ArtefactError, match="target: cpu-vnni and cuda"):
        compare_records(record(row(rounds=BEFORE)), replace(record(row(rounds=AFTER)), target="cuda"))


def test_other_artefacts_are_compared_where_it_is_asked_for() -> None:
    """Another bundle is let through then; other users are not."""
    one = replace(record(row(rounds=BEFORE)), artefacts={"bundle": "b", "dataset": "d"})
    other = replace(one, artefacts={"bundle": "c", "dataset": "d"})
    with pytest.raises(ArtefactError, match=r"bundle: b and c \(--other-artefact"):
        compare_records(one, other)
    assert len(compare_records(one, other, other_artefact=True)) == 1
    with pytest.raises(ArtefactError, match="dataset: d and e\n"):
        compare_records(one, replace(one, artefacts={"bundle": "b", "dataset": "e"}), other_artefact=True)


def test_records_without_common_rounds_are_refused() -> None:
    """There is nothing to say of them."""
    with pytest.raises(InputError, match="no figure with rounds in common"):
        compare_records(record(row()), record(row(rounds=AFTER)))
