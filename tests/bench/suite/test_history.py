"""Records kept over time."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from engine_bench.suite.history import groups, keep, read_history, short
from engine_runtime.errors import ArtefactError, InputError
from tiny_records import CARD, record, row


def test_a_record_is_added_by_time_and_commit(tmp_path: Path) -> None:
    """In the folder of its target; outside of a source tree there is no commit."""
    path = keep(record(row()), tmp_path)
    assert path == tmp_path / "cpu-vnni/20260101T000000Z-aaaaaaaaaaaa.json"
    assert keep(record(row(), commit=None), tmp_path).name == "20260101T000000Z-tree.json"


def test_nothing_is_written_over(tmp_path: Path) -> None:
    """A second record of the same second and commit lies beside the first."""
    first = keep(record(row(rate=1)), tmp_path)
    second = keep(record(row(rate=2)), tmp_path)
    assert second.name == "20260101T000000Z-aaaaaaaaaaaa-1.json"
    assert [each.path for each in read_history(tmp_path)] == [first, second]


def test_records_come_in_order_of_time(tmp_path: Path) -> None:
    """Whatever order they were added in; those of another target only where they are asked for."""
    for day in (3, 1, 2):
        keep(record(row(rate=day), started=f"2026-01-0{day}T00:00:00Z"), tmp_path)
    keep(replace(record(row()), target="cuda"), tmp_path)
    found = read_history(tmp_path, "cpu-vnni")
    assert [each.record.rows[0].figures["users_per_second"].value for each in found] == [1, 2, 3]
    assert len(read_history(tmp_path)) == 4


def test_machines_and_targets_are_kept_apart(tmp_path: Path) -> None:
    """A group is what may be compared."""
    other = replace(CARD, cpus=64)
    for day, card in enumerate((CARD, other, CARD), 1):
        keep(record(row(), card=card, started=f"2026-01-0{day}T00:00:00Z"), tmp_path)
    keep(replace(record(row()), target="cuda"), tmp_path)
    assert [(group.target, len(group.records)) for group in groups(read_history(tmp_path))] == [
        ("cpu-vnni", 2),
        ("cuda", 1),
        ("cpu-vnni", 1),
    ]


def test_an_empty_history_is_said(tmp_path: Path) -> None:
    """With what fills it."""
    with pytest.raises(InputError, match=r"no record of the target cuda in .*engine bench run --history"):
        read_history(tmp_path, "cuda")


def test_a_damaged_record_is_refused(tmp_path: Path) -> None:
    """Rather than left out in silence."""
    keep(record(row()), tmp_path).write_text("{}")
    with pytest.raises(ArtefactError, match="is no record"):
        read_history(tmp_path)


def test_a_commit_is_shown_short() -> None:
    """Twelve digits."""
    assert (short("0123456789abcdef"), short(None)) == ("0123456789ab", "tree")
