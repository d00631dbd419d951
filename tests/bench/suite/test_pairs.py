"""Two builds measured in turn."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from end_to_end.alarms import plant
from engine_bench.seat import Contender, Seat
from engine_bench.suite.pairs import CLOCK, CPU, OWN, STAGES, TIMES, Side, Work, abba, build_of, compare_builds
from engine_runtime.artefacts.bundle import Bundle
from engine_runtime.artefacts.dataset import Dataset
from engine_runtime.errors import MachineError, UsageError
from tiny_builds import exact_index


@pytest.fixture(scope="module")
def same(bundle: Bundle, visited: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Side:
    return build_of(None, bundle.root, exact_index(bundle, visited, tmp_path_factory.mktemp("pairs") / "index"))


@pytest.fixture
def work(visited: Dataset) -> Work:
    return Work(visited.root, 12, 1)


def quiet(line: str) -> None:
    """Tell nobody."""


def planted(side: Side, folder: Path) -> Side:
    """The same build, but ranking sleeps for fifty times as long as it takes."""
    return build_of(plant(folder, 50.0), side.bundle, side.index)


def test_a_planted_slow_down_is_found(same: Side, work: Work, tmp_path: Path) -> None:
    """By the clock and not by CPU time, for it waits; the stages tell where, and lists and quality are the same."""
    found = compare_builds(
        {"before": same, "after": planted(same, tmp_path / "planted")}, work, 6, _made(tmp_path / "results"), quiet
    )
    assert found.verdict == "slower"
    assert found.changes[f"recommend {OWN}"].ratio > 10
    assert found.changes[f"profile {OWN}"].ratio < 10
    assert found.changes[CPU].ratio < 10
    assert found.alike == 1
    assert found.ndcg["before"] == found.ndcg["after"]
    assert "12 users, threads: 1" in found.settings["before"]


def test_every_figure_has_its_raw_rounds(same: Side, work: Work, tmp_path: Path) -> None:
    """A number a pair for the whole and each stage; what the process waited for is no part of its own seconds."""
    told: list[str] = []
    found = compare_builds({"one": same, "other": same}, work, 2, tmp_path, told.append)
    assert list(found.changes) == [*TIMES, *(f"{stage} {time}" for stage in STAGES for time in TIMES)]
    assert all(len(rounds) == 2 for sides in found.rounds.values() for rounds in sides.values())
    assert all(own <= clock for own, clock in zip(found.rounds[OWN]["one"], found.rounds[CLOCK]["one"], strict=True))
    assert found.verdict == "too few rounds"
    assert told[-1] == "pair 2 of 2"


def test_a_build_that_does_not_run_is_told(same: Side, work: Work, tmp_path: Path) -> None:
    """By its name and its last words."""
    broken = _made(tmp_path / "broken")
    (broken / "engine_runtime.py").write_text("raise ImportError('not built')")
    sides = {"one": same, "other": build_of(broken, same.bundle, same.index)}
    with pytest.raises(MachineError, match=r"other does not run: .*not built"):
        compare_builds(sides, work, 1, _made(tmp_path / "results"), quiet)


def test_turns_come_in_mirrored_order(tmp_path: Path) -> None:
    """Each side is as often before the other as after it, within a pair and over two."""
    sides = [Seat(name, Contender("", "", ""), tmp_path, 1, quiet) for name in "AB"]
    orders = ["".join(seat.name for seat in abba(sides, number)) for number in range(2)]
    assert orders == ["ABBA", "BAAB"]


def test_a_build_is_an_interpreter_or_an_environment(tmp_path: Path) -> None:
    """It runs its own code: nothing of this process's path goes with it."""
    environment = _made(tmp_path / "venv/bin")
    (environment / "python").symlink_to(sys.executable)
    bare = Side("", "", tmp_path, tmp_path)
    expected = replace(bare, python=str(environment / "python"))
    assert build_of(environment / "python", tmp_path, tmp_path) == expected
    assert build_of(environment.parent, tmp_path, tmp_path) == expected


def test_a_build_is_a_folder_of_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It goes before the others; of a source tree that is the folder that the package lies in."""
    monkeypatch.setenv("PYTHONPATH", "others")
    assert build_of(tmp_path, tmp_path, tmp_path).path == os.pathsep.join((str(tmp_path), "others"))
    _made(tmp_path / "runtime/engine_runtime")
    assert build_of(tmp_path, tmp_path, tmp_path).path == os.pathsep.join((str(tmp_path / "runtime"), "others"))
    monkeypatch.delenv("PYTHONPATH")
    assert build_of(tmp_path, tmp_path, tmp_path).path == str(tmp_path / "runtime")


def test_what_is_no_build_is_refused(tmp_path: Path) -> None:
    """With what one is."""
    (tmp_path / "notes.txt").touch()
    with pytest.raises(UsageError, match=r"notes\.txt is no build: give a Python interpreter"):
        build_of(tmp_path / "notes.txt", tmp_path, tmp_path)


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True)
    return folder
