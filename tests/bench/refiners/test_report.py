"""Tables of a comparison of refiners."""

from __future__ import annotations

import pytest

from engine_bench.fingerprint import Surroundings
from engine_bench.refiners.contest import Closeness, Row
from engine_bench.refiners.entry import Found
from engine_bench.refiners.report import COLUMNS, KEY, notes, parity, settings, sheet
from engine_bench.rounds import Lap
from engine_bench.statistics import Spread
from engine_export.parity import RefinerParity


def row(name: str, cosine: Closeness | None) -> Row:
    """A row with some figures."""
    speeds = Spread(50_123.4, 1, 2), Spread(60_000.0, 1, 2)
    return Row(name, f"how {name} ran", (Lap((2.0,), 3.0, 0.25),), *speeds, 3.0, Spread(1.5, 1, 2), cosine)


@pytest.fixture
def found() -> Found:
    rows = (row("ours", Closeness(0.99, 0.999, 0.98, 0.998)), row("other", None))
    machine = Surroundings("Quick CPU", ("avx2",), 2, {"numpy": "2.0"})
    measured = RefinerParity(1.0, 0.99, 0.98, 0.97, 0.96, 0.95, 0.94, None, None)
    return Found(machine, "0" * 64, {"int8": measured}, 1234, 56_789, rows, {"late": "no kernel"})


def test_speed_and_closeness_are_one_row(found: Found) -> None:
    """A line has all figures of a contender, each under its head; another network is not close to ours."""
    table = sheet(found)
    assert table.columns == COLUMNS
    assert "1,234 users, 56,789 events read" in table.title
    speed = ("50,123", "60,000", "1.50x [1.00, 2.00]", "3.00")
    assert table.rows[0] == ("ours", *speed, "0.99000", "0.99900", "0.98000", "0.99800")
    assert table.rows[1] == ("other", *speed, "another network", "", "", "")


def test_what_is_told_beside_the_table(found: Found) -> None:
    """How each ran, the parity of the bundle, what the columns say, who was left out and who else was there."""
    assert settings(found) == {"ours": "how ours ran", "other": "how other ran"}
    assert list(parity(found)) == ["refiner int8"]
    assert "None" not in parity(found)["refiner int8"]
    assert notes(found) == [
        KEY,
        "late was left out: no kernel",
        "Other processes kept 0.25 CPUs busy during a turn at most.",
    ]
