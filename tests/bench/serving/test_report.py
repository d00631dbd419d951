"""Tables of a comparison of whole nights."""

from __future__ import annotations

from dataclasses import replace

import pytest

from engine_bench.fingerprint import Surroundings
from engine_bench.rounds import Lap
from engine_bench.serving.contest import OURS, Quality, Row, Times
from engine_bench.serving.entry import LARGE, Found
from engine_bench.serving.report import KEY, notes, settings, sheets
from engine_bench.statistics import Spread
from engine_models.metrics import Estimate

FLAT = Spread(1, 1, 1)
JUDGED = Quality(Estimate(0.05, 0.04, 0.06), Estimate(0.1, 0.09, 0.11), Estimate(-0.01, -0.02, 0.0))


def row(name: str, n_users: int, quality: Quality | None) -> Row:
    """A row with some figures."""
    users, whole = Times((2.0,), (3.0,)), Times((4.0,), (7.0,))
    spreads = Spread(21.5, 20, 22), Spread(24, 23, 25), FLAT, FLAT
    return Row(
        name, f"how {name} ran", (Lap((4.0,), 7.0, 0.5),), n_users, 50, users, whole, *spreads, 3 * 10**8, quality
    )


@pytest.fixture
def found() -> Found:
    rows = (row(OURS, 1000, JUDGED), row(LARGE, 100, None))
    machine = Surroundings("Quick CPU", ("avx2",), 2, {"numpy": "2.0"})
    return Found(machine, "0" * 64, "1" * 64, 1000, 5000, 60, 2, None, rows, {"late": "no kernel"})


def test_speed_has_its_quality_beside_it(found: Found) -> None:
    """Users alone and the whole night are two tables; a third has intervals and differences to ours."""
    users, whole, quality = sheets(found)
    assert users.rows[0] == (OURS, "500.0", "21.50x [20.00, 22.00]", "1.00x [1.00, 1.00]", "3.0", "300", "0.0500")
    assert whole.rows[0] == (OURS, "250.0", "24.00x [23.00, 25.00]", "1.00x [1.00, 1.00]", "7.0", "300", "0.0500")
    assert whole.rows[1][-1] == "not judged"
    assert quality.rows[0][2:] == ("0.0500 [0.0400, 0.0600]", "0.1000 [0.0900, 0.1100]", "-0.0100 [-0.0200, +0.0000]")
    assert quality.rows[1][1] == "100"
    for sheet in (users, whole, quality):
        assert {len(cells) for cells in sheet.rows} == {len(sheet.columns)}


def test_what_is_told_beside_the_tables(found: Found) -> None:
    """How the large one ran, and that random weights say nothing of quality, where it has those."""
    lines = notes(found)
    assert lines[0] == KEY
    assert "large-joined ran once, on 100 users and 50 items" in lines[1]
    assert "random weights" in lines[2]
    assert lines[3:] == ["late was left out: no kernel", "Other processes kept 0.50 CPUs busy during a turn at most."]
    assert not any("random weights" in line for line in notes(replace(found, large="mpnet")))
    assert settings(found) == {OURS: "how ours ran", LARGE: "how large-joined ran"}
