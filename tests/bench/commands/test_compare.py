"""`engine bench compare` as a user calls it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from engine_bench.suite.record import Record, save
from engine_runtime.artefacts.bundle import Bundle
from engine_runtime.artefacts.dataset import Dataset
from engine_runtime.cli import run
from tiny_builds import exact_index
from tiny_records import CARD, record, row

ROUNDS = (100.0, 101.0, 99.0, 100.0, 102.0)


@pytest.fixture
def before(tmp_path: Path) -> Path:
    return kept(tmp_path / "before.json", record(row(rounds=ROUNDS)))


def kept(path: Path, made: Record) -> Path:
    """Where a record lies."""
    save(made, path)
    return path


def test_records_are_compared(before: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A table for people, all numbers for machines."""
    after = kept(tmp_path / "after.json", record(row(rate=50, rounds=[rate / 2 for rate in ROUNDS])))
    assert run(["bench", "compare", str(before), str(after)]) == 0
    said = capsys.readouterr().out
    assert "offline users_per_second" in said
    assert "slower" in said
    assert run(["bench", "compare", str(before), str(after), "--json"]) == 0
    (finding,) = json.loads(capsys.readouterr().out)
    assert finding["change"]["ratio"] == pytest.approx(0.5)


def test_records_of_two_machines_are_refused(before: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """As artefacts that do not belong together, with what differs."""
    other = kept(tmp_path / "other.json", record(row(rounds=ROUNDS), card=replace(CARD, processor="Other 1")))
    assert run(["bench", "compare", str(before), str(other)]) == 5
    assert "processor: Example 9000 and Other 1" in capsys.readouterr().err


def test_builds_are_measured(
    bundle: Bundle, visited: Dataset, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Both sides are told with where their code lies; times never come without quality."""
    index, out = exact_index(bundle, visited, tmp_path / "index"), tmp_path / "pairs.json"
    options = [f"--bundle={bundle.root}", f"--index={index}", f"--events={visited.root}", f"--out={out}"]
    assert run(["bench", "compare", f"--against={tmp_path}", *options, "--users=5", "--pairs=1"]) == 0
    said = capsys.readouterr().out
    for expected in ("how each side ran", "build to against: too few rounds", "own seconds", "NDCG@10"):
        assert expected in said
    assert len(json.loads(out.read_bytes())["rounds"]["CPU seconds"]["against"]) == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "0 records were given"),
        (("one", "--against=."), "two records or --against, not both"),
        (("--against=.",), "Give --bundle, --index and --events"),
    ],
)
def test_a_call_that_says_too_little_or_too_much(
    arguments: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Is refused with what to give."""
    assert run(["bench", "compare", *arguments]) == 2
    assert said in capsys.readouterr().err
