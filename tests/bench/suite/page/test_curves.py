"""Charts of a record."""

from __future__ import annotations

from dataclasses import replace

from engine_bench.suite.page import curves
from engine_bench.suite.record import Point, Row
from sample_records import whole_record
from tiny_records import record, row

RECORD = whole_record()


def drawing(scenario: str) -> str:
    found = RECORD.row(scenario)
    assert isinstance(found, Row)
    curve = curves.curve(found)
    assert curve is not None
    assert curve.drawing is not None
    return curve.drawing


def test_server_has_its_service_level_marked() -> None:
    """The curve of a server shows its limit, the highest rate within it, and every rate that was tried."""
    drawn = drawing("server")
    assert "service level 50 ms" in drawn
    assert drawn.count("requests per second: p99") == 2 * 8  # in the points, and in the description


def test_search_has_recall_against_rate() -> None:
    """Each point tells recall, rate and breadth."""
    assert "recall 0.9860: 12,400 queries per second, breadth (ef) 40" in drawing("search")


def test_soak_has_memory_over_time() -> None:
    """Memory is drawn over what the points count, from nought."""
    assert "MB at the beginning" in drawing("soak")


def test_unknown_curves_are_left_to_their_table() -> None:
    """Points of figures that are not known are not drawn, and a row without points has no curve."""
    odd = replace(row(), curve=(Point({"a": 1.0}), Point({"a": 2.0})))
    found = curves.curve(odd)
    assert found is not None
    assert found.drawing is None
    assert curves.curve(row()) is None


def test_stages_are_told_in_words() -> None:
    """The description of the bars tells each share."""
    drawn = curves.stage_bars(RECORD)
    assert drawn is not None
    assert "offline: read 10%, refiner 42%, search 29%, rank 16%, write 3%" in drawn
    assert curves.stage_bars(record(row())) is None
