"""`engine bench trend` as a user calls it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from engine_bench.suite.drawing import POINT
from engine_bench.suite.history import keep
from engine_runtime.cli import run
from tiny_records import CARD, record, row


@pytest.fixture
def history(tmp_path: Path) -> Path:
    """Ten runs, slower from the sixth on."""
    for number in range(10):
        started = f"2026-01-01T00:00:{number:02}Z"
        rate = 100.0 if number < 5 else 80.0
        keep(record(row(rate=rate), commit=f"{number:012d}", started=started), tmp_path)
    return tmp_path


def test_steps_are_drawn_and_told(history: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With the commit where each begins."""
    assert run(["bench", "trend", f"--history={history}"]) == 0
    said = capsys.readouterr().out
    for expected in (POINT * 5, "000000000005", "-20.0%", "steps: 1, figures: 1, runs: 10"):
        assert expected in said


def test_series_for_machines(history: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """All runs and steps in one document."""
    assert run(["bench", "trend", f"--history={history}", "--json"]) == 0
    (series,) = json.loads(capsys.readouterr().out)
    assert len(series["runs"]) == 10
    assert [step["place"] for step in series["steps"]] == [5]


def test_another_machine_is_said(history: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Its runs are not put to the others."""
    keep(record(row(), card=replace(CARD, cpus=1), started="2026-01-02T00:00:00Z"), history)
    assert run(["bench", "trend", f"--history={history}"]) == 0
    assert "another machine, and a series of its own: cpu-vnni: cpus: 2 and 1" in capsys.readouterr().out


def test_a_figure_that_is_not_there(history: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Is asked for in vain, and that is said."""
    assert run(["bench", "trend", f"--history={history}", "--figure=peak"]) == 4
    assert "has a figure with 'peak' in its name" in capsys.readouterr().err
