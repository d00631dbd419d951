"""The tables of a journey: rates, time per user beside the first size, memory beside the index, quality."""

from __future__ import annotations

from engine_bench.scale.journey import Journey
from engine_bench.scale.report import beside_index, notes, per_user, sheets


def test_every_figure_has_its_place(journey: Journey) -> None:
    """A table of the bundle, one of each size, one of time per user, one of quality."""
    bundle, first, second, _, quality = sheets(journey)
    assert bundle.rows == (("train", "60.0", "100.0", "", "", "1,000", "0.0"),)
    assert first.rows[2] == ("ingest", "2.0", "3.0", "500", "10,000", "500", "0.0")
    assert second.title == "10,000 users, 200,000 events, 50 items"
    assert quality.rows[0] == ("1,000 users", "9", "0.2000 [0.1000, 0.3000]", "0.0500")


def test_time_per_user(journey: Journey) -> None:
    """What a user of the engine would not run counts for nothing; the index is shared by more users."""
    rows = {row[:2]: row[2:] for row in per_user(journey).rows}
    steps = ["ingest", "index", "serve-batch", "all but index", "all"]
    assert list(rows) == [(step, users) for step in steps for users in ("1,000", "10,000")]
    assert rows["ingest", "1,000"] == rows["ingest", "10,000"] == ("2,000 us", "1.00x", "3,000 us", "1.00x")
    assert rows["index", "10,000"] == ("200 us", "0.10x", "3,000 us", "1.00x")
    assert rows["all but index", "10,000"][:2] == ("4,000 us", "1.00x")
    assert rows["all", "10,000"][:2] == ("4,200 us", "0.70x")


def test_memory_beside_the_index(journey: Journey) -> None:
    """The index counts only against steps that hold it."""
    scale = journey.scales[0]
    beside = {step.name: beside_index(step, scale) for step in scale.steps}
    assert beside["ingest"] == 500_000_000
    assert beside["serve-batch"] == beside["index"] == 400_000_000
    assert "Most memory beside the index: 500 MB" in notes(journey)[1]
    assert notes(journey)[-1] == "Other processes kept 0.50 CPUs busy during a step at most."
