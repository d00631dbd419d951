"""The command `engine correct`, called as `main` calls it, and what other commands make of its file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from engine_runtime import cli
from engine_runtime.artefacts.output import Output
from engine_runtime.artefacts.overlay import read_overlay
from tiny import World


@pytest.fixture
def overlay(tmp_path: Path) -> Path:
    return tmp_path / "said.json"


@pytest.fixture
def correct(world: World, overlay: Path) -> Any:
    """Run ``engine correct`` with the world's bundle."""

    def run(user: str, *arguments: str) -> int:
        return cli.run(["correct", user, f"--overlay={overlay}", f"--bundle={world.bundle.root}", *arguments])

    return run


def test_what_is_said_is_kept_and_shown(correct: Any, overlay: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """All three kinds are printed with their amounts, for people and for machines, and stand in the file."""
    assert correct("u08", "--mask", "concept 1", "--scale", "concept 2=0.5", "--add", "concept 3=0.2") == 0
    said = capsys.readouterr().out
    for line in ("user u08", "masked  concept 1", "times 0.5  concept 2", "stated 20%  concept 3"):
        assert line in said
    assert correct("u08", "--show", "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["user_id"], found["unknown"]) == ("u08", [])
    kinds = [(one["concept"], one["kind"], one["amount"]) for one in found["corrections"]]
    assert kinds == [("concept 1", "mask", 0.0), ("concept 2", "scale", 0.5), ("concept 3", "add", 0.2)]
    assert all(one["made"].endswith("+00:00") for one in found["corrections"])
    assert len(read_overlay(overlay).users["u08"]) == 3


def test_what_is_said_can_be_taken_back(correct: Any, overlay: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One concept, all at once, or the user whole; all before what is said in the same call."""
    assert correct("u08", "--mask", "concept 1", "--scale", "concept 2=0.5") == 0
    assert correct("u08", "--clear", "concept 1") == 0
    assert [one.concept for one in read_overlay(overlay).users["u08"]] == ["concept 2"]
    assert correct("u08", "--clear", "concept 1") == 2
    assert correct("u08", "--clear-all", "--mask", "concept 4") == 0
    assert [one.concept for one in read_overlay(overlay).users["u08"]] == ["concept 4"]
    assert correct("u03", "--mask", "concept 4") == 0
    assert correct("u08", "--remove-user") == 0
    assert list(read_overlay(overlay).users) == ["u03"]
    assert correct("u03", "--clear-all") == 0
    assert "nothing is corrected" in capsys.readouterr().out
    assert read_overlay(overlay).users == {}


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["--mask", "Concept 3"], 4, "Did you mean 'concept 3'"),
        (["--mask", "xyzzy"], 4, "concepts.json in the bundle names all"),
        (["--scale", "concept 1"], 2, "--scale takes NAME=NUMBER"),
        (["--scale", "concept 1=much"], 2, "--scale takes NAME=NUMBER"),
        (["--scale", "concept 1=0"], 2, "Mask a concept to have none of it"),
        (["--add", "concept 1=2"], 2, "at most 1"),
        (["--add", "concept 1=0.2", "--mask", "concept 1"], 2, "corrected twice in one call"),
        ([], 2, "say what to do"),
        (["--show", "--mask", "concept 1"], 2, "say what to do"),
        (["--remove-user", "--clear-all"], 2, "say what to do"),
    ],
)
def test_wrong_calls(
    correct: Any, overlay: Path, arguments: list[str], code: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A wrong call says what is wrong and what would be right, and writes nothing."""
    assert correct("u08", *arguments) == code
    assert said in capsys.readouterr().err
    assert not overlay.exists()


def test_names_need_a_bundle(overlay: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Without a bundle nothing new can be said, but what was said can be shown."""
    assert cli.run(["correct", "u08", f"--overlay={overlay}", "--mask", "concept 1"]) == 2
    assert "need --bundle" in capsys.readouterr().err
    assert cli.run(["correct", "u08", f"--overlay={overlay}", "--show"]) == 0


def test_names_that_are_gone_are_marked(correct: Any, overlay: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A concept that the bundle has no more is shown as such, and can be cleared."""
    overlay.write_text('{"users": {"u08": [{"concept": "old", "kind": "mask", "amount": 0, "made": "then"}]}}')
    assert correct("u08", "--show") == 0
    assert "masked  old  then  (the bundle has no such concept)" in capsys.readouterr().out
    assert correct("u08", "--show", "--json") == 0
    assert json.loads(capsys.readouterr().out)["unknown"] == ["old"]
    assert correct("u08", "--clear", "old") == 0


def test_commands_apply_what_is_said(
    world: World, correct: Any, overlay: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """`recommend` and `explain` show a corrected user, with what is stated said as such."""
    assert correct("u08", "--add", "concept 3=0.6") == 0
    capsys.readouterr()
    assert cli.run(["recommend", "u08", *world.options, f"--overlay={overlay}", "--json"]) == 0
    row = json.loads(capsys.readouterr().out)
    assert row["interests"][0]["name"] == "concept 3"
    assert row["interests"][0]["weight"] >= 0.6
    assert cli.run(["explain", "u08", *world.options, f"--overlay={overlay}"]) == 0
    assert "of it stated by the user" in capsys.readouterr().out


def test_a_changed_word_is_served_since(
    world: World, correct: Any, overlay: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With --since who has corrected something since is served, whoever takes it back again too, and nobody else."""
    served = ["serve-batch", *world.options, "--workers=1"]
    assert cli.run([*served, f"--out={tmp_path / 'monday'}"]) == 0
    assert correct("u08", "--mask", "concept 1") == 0
    assert correct("nobody", "--mask", "concept 1") == 0
    capsys.readouterr()
    for before, now in (("monday", "tuesday"), ("tuesday", "wednesday")):
        assert (
            cli.run([*served, f"--since={tmp_path / before}", f"--out={tmp_path / now}", f"--overlay={overlay}"]) == 0
        )
        said = capsys.readouterr().out
        assert "corrected, not in the data set" in said
    assert cli.run([*served, f"--since={tmp_path / 'wednesday'}", f"--out={tmp_path / 'thursday'}"]) == 0
    found = {day: _users(tmp_path / day) for day in ("tuesday", "wednesday", "thursday")}
    assert found == {"tuesday": ["u08"], "wednesday": [], "thursday": ["u08"]}


def test_another_overlay_is_not_gone_on_with(
    world: World, correct: Any, overlay: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A finished output of other corrections is not taken for this one."""
    served = ["serve-batch", *world.options, "--workers=1", f"--out={tmp_path / 'out'}", f"--overlay={overlay}"]
    assert correct("u08", "--mask", "concept 1") == 0
    assert cli.run(served) == 0
    assert cli.run([*served, "--resume"]) == 0
    digest = Output.open(tmp_path / "out").manifest.digest
    assert correct("u08", "--mask", "concept 2") == 0
    capsys.readouterr()
    assert cli.run([*served, "--resume"]) == 2
    assert "exists already" in capsys.readouterr().err
    assert Output.open(tmp_path / "out").manifest.digest == digest


def _users(path: Path) -> list[str]:
    output = Output.open(path)
    parts = [pq.read_table(output.part(number), columns=["user_id"]) for number in range(output.info.n_parts)]
    found: list[str] = pa.concat_tables(parts)["user_id"].to_pylist()
    return sorted(found)
