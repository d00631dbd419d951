"""Foreign load, noted and refused."""

from dataclasses import replace

import pytest

from engine_bench.load import LoadWatch
from engine_bench.suite.strictness import MOST_FOREIGN, own_seconds, refuse_disturbed, watched
from engine_runtime.errors import MachineError
from tiny_records import row


def test_foreign_load_is_kept_and_noted_where_it_is_too_much(monkeypatch: pytest.MonkeyPatch) -> None:
    """A row has the load in any case, and a note beside its own where the load passes the threshold."""
    mine = replace(row(), notes=("a note",))
    monkeypatch.setattr(LoadWatch, "foreign", lambda self, own: MOST_FOREIGN)
    assert watched(lambda: mine) == replace(mine, foreign=MOST_FOREIGN)
    monkeypatch.setattr(LoadWatch, "foreign", lambda self, own: 1.25)
    assert watched(lambda: mine).notes == ("a note", "measured under load: others kept 1.25 CPUs busy")


def test_a_system_that_does_not_tell_leaves_the_load_open(monkeypatch: pytest.MonkeyPatch) -> None:
    """Unknown is not nought."""
    monkeypatch.setattr(LoadWatch, "foreign", lambda self, own: None)
    assert watched(row) == row()


def test_a_strict_run_names_what_was_disturbed() -> None:
    """Each scenario with its load; those that were not disturbed are not named."""
    rows = [replace(row("single"), foreign=0.02), replace(row("server"), foreign=0.5)]
    with pytest.raises(MachineError, match=r"server 0\.50; --strict allows 0\.1\. Stop them"):
        refuse_disturbed(rows)
    refuse_disturbed(rows[:1])


def test_a_strict_run_has_to_know() -> None:
    """Where the system does not tell, nobody can say that it was quiet."""
    with pytest.raises(MachineError, match=r"does not tell .*\(offline\)"):
        refuse_disturbed([row("offline")])


def test_ones_own_work_is_counted() -> None:
    """CPU seconds rise with work in this process."""
    before = own_seconds()
    while own_seconds() == before:
        sum(range(10_000))
    assert own_seconds() > before
