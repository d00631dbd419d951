"""Tables of a comparison."""

from __future__ import annotations

import pytest

from engine_bench.fingerprint import Fingerprint
from engine_bench.peers.registry import ONE_WORKER, OURS
from engine_bench.report import COLUMNS, LATENCY_COLUMNS, notes, settings, sheets
from engine_bench.results import Comparison, Latency, Row
from engine_bench.rounds import Lap
from engine_bench.statistics import Spread
from engine_export.parity import VectorParity

QUALITY = VectorParity(0.99846, 0.9971, 0.9949, 0.9523, 1.3e-7)


def row(name: str, ours: Spread, foreign: float | None = None) -> Row:
    """A row with some figures."""
    laps = (Lap((2.0,), 3.0, foreign), Lap((2.5,), 3.0, None))
    return Row(name, f"how {name} ran", laps, Spread(50_123.4, 1, 2), 1234.5, ours, 3.26, 245_600_000, QUALITY)


@pytest.fixture
def found(fingerprint: Fingerprint) -> Comparison:
    rows = (row(OURS, Spread(1, 1, 1), 0.25), row(ONE_WORKER, Spread(1.92, 1.9, 1.95), 0.5))
    latency = (Latency(OURS, "fast", 0.00123, 0.004, Spread(1, 1, 1), ((0.001, 0.002), (0.001, 0.002))),)
    return Comparison(fingerprint, 12_101, 480_000, 2, 5, rows, 32, latency, {"other": "not installed"})


def test_speed_and_quality_are_one_row(found: Comparison) -> None:
    """A line has all of a peer's figures, each under its head."""
    table, latency = sheets(found)
    assert table.columns == COLUMNS
    assert "12,101 texts, 480,000 tokens; 2 threads; 5 rounds" in table.title
    ratio, quality = "1.92x [1.90, 1.95]", ("0.9985", "0.9971", "0.9949", "0.9523", "1e-07")
    assert table.rows[1] == (ONE_WORKER, "50,123", ratio, "1,234", "3.3", "246", *quality)
    assert latency.columns == LATENCY_COLUMNS
    assert latency.rows == ((OURS, "1.23", "4.00", "1.00x [1.00, 1.00]"),)
    assert "32 tokens at a time, 4 calls" in latency.title
    for sheet in (table, latency):
        assert {len(cells) for cells in sheet.rows} == {len(sheet.columns)}


def test_how_each_ran(found: Comparison) -> None:
    """Settings are told of all, in latency mode too."""
    assert settings(found) == {
        OURS: f"how {OURS} ran",
        ONE_WORKER: f"how {ONE_WORKER} ran",
        f"{OURS}, one text": "fast",
    }


def test_notes_tell_what_is_not_in_the_tables(found: Comparison) -> None:
    """What workers are worth, who was left out and who else was there."""
    lines = notes(found)
    assert "2 workers are 1.92x [1.90, 1.95] as fast as one." in lines
    assert "other was left out: not installed" in lines
    assert "Other processes kept 0.50 CPUs busy during a turn at most." in lines


def test_without_latency_there_is_one_table(found: Comparison) -> None:
    """Calls with one text may be left out."""
    fewer = Comparison(found.fingerprint, 1, 1, 1, 1, (row(OURS, Spread(1, 1, 1)),), 32, (), {})
    assert len(sheets(fewer)) == 1
    assert len(notes(fewer)) == 1
