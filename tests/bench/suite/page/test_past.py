"""A history as charts and a table."""

from __future__ import annotations

from collections.abc import Sequence

from engine_bench.suite.page import past
from tiny_records import record, row

RATES = (100.0, 102.0, 98.0, 80.0, 81.0, 79.0)
RECORDS = [record(row(rate=rate), started=f"2026-01-0{day}T00:00:00Z") for day, rate in enumerate(RATES, 1)]


def fourth(figure: str, values: Sequence[float]) -> list[int]:
    return [3]


def test_step_is_marked_where_it_begins() -> None:
    """A line stands before the first run of the new level with the change of the medians, and words tell its day."""
    (track,) = past.tracks(RECORDS, fourth)
    drawn = past.draw_track(track, RECORDS)
    assert track.steps == (3,)
    assert "−20.0 %" in drawn
    assert "New levels begin at 2026-01-04 (−20.0 %)." in drawn


def test_runs_without_the_figure_are_passed_over() -> None:
    """A run that lacks the scenario has a dash in the table, and places of steps are those of the runs that have it."""
    records = [RECORDS[0], record(), *RECORDS[1:]]
    found = past.tracks(records, fourth)
    table = past.table(found, records)
    assert [cells[2].value for cells in table.rows] == [100.0, None, *RATES[1:]]
    assert [cells[-1].value for cells in table.rows] == ["", "", "", "", "offline", "", ""]


def test_without_steps_it_says_so() -> None:
    """Where no level changes the words say that none does."""
    (track,) = past.tracks(RECORDS, lambda figure, values: [])
    assert "No step was found." in past.draw_track(track, RECORDS)


def test_one_run_is_no_history() -> None:
    """A figure that was measured once has no track, and nor has an empty history."""
    assert past.tracks(RECORDS[:1], fourth) == ()
    assert past.tracks([], fourth) == ()
