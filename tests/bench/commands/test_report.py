"""`engine bench report`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from engine_bench.suite.record import save
from engine_runtime.cli import run
from page_reading import Reader
from sample_records import history, whole_record


def test_record_becomes_a_page(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A record and a price give one file, whose tables hold the price's currency."""
    save(whole_record(), tmp_path / "run.json")
    out = tmp_path / "report.html"
    assert (
        run(["bench", "report", str(tmp_path / "run.json"), "--out", str(out), "--price", "0.2", "--currency", "CHF"])
        == 0
    )
    assert "CHF per million users" in out.read_text(encoding="utf-8")
    assert "cpu-vnni" in capsys.readouterr().err


def test_history_becomes_a_page_with_its_steps(tmp_path: Path) -> None:
    """Of a history the newest record is shown with those of its machine, and the night that slowed down is marked."""
    for record in history(30, steps=(18,)):
        save(record, tmp_path / "history" / record.target / f"{record.started}.json")
    out = tmp_path / "report.html"
    assert run(["bench", "report", "--history", str(tmp_path / "history"), "--out", str(out)]) == 0
    rows = Reader(out.read_text(encoding="utf-8")).downloads["history.json"]["rows"]
    assert [place for place, row in enumerate(rows) if "offline" in row["steps"]] == [18]


@pytest.mark.parametrize("given", [[], ["run.json", "--history", "."], ["run.json", "--target", "cpu-vnni"]])
def test_exactly_one_source_is_taken(given: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither, both, or a target without a history are errors of usage."""
    monkeypatch.chdir(tmp_path)
    assert run(["bench", "report", *given, "--out", "report.html"]) == 2
    assert not Path("report.html").exists()


def test_several_targets_must_be_chosen_from(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A history of two targets is refused by naming both, until one of them is named."""
    for target in ("cpu-vnni", "cpu-avx2"):
        save(replace(whole_record(), target=target), tmp_path / "history" / target / "one.json")
    call = ["bench", "report", "--history", str(tmp_path / "history"), "--out", str(tmp_path / "report.html")]
    assert run(call) == 2
    assert "cpu-avx2, cpu-vnni" in capsys.readouterr().err
    assert run([*call, "--target", "cpu-avx2"]) == 0


def test_page_goes_where_it_can_be_written(tmp_path: Path) -> None:
    """A folder that is not there is an error of usage."""
    save(whole_record(), tmp_path / "run.json")
    assert run(["bench", "report", str(tmp_path / "run.json"), "--out", str(tmp_path / "absent" / "report.html")]) == 2
