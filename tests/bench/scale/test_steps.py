"""Steps: done once, done again when what they came from has changed, and nothing kept of those that failed."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from engine_bench.scale.steps import Steps, engine, size_of
from engine_runtime.errors import MachineError

WRITE = "import pathlib, sys; pathlib.Path(sys.argv[1]).open('a').write('x'); print('{\"made\": 1}')"


def writing(made: Path, code: str = WRITE) -> list[str]:
    """A command that adds a letter to a file."""
    return [sys.executable, "-c", code, str(made)]


def test_a_step_is_done_once(tmp_path: Path) -> None:
    """The same command from the same beginnings is not run again; with force, or after another step, it is."""
    made = tmp_path / "made"
    told: list[str] = []
    steps = Steps(tmp_path, force=False, tell=told.append)
    first = steps.run("write", writing(made), made, ["a"])
    assert first == steps.run("write", writing(made), made, ["a"])
    assert made.read_text() == "x"
    assert "is done already" in told[-1]
    assert steps.run("write", writing(made), made, ["b"]).key != first.key
    Steps(tmp_path, force=True, tell=told.append).run("write", writing(made), made, ["b"])
    assert made.read_text() == "xxx"
    assert first.answer == {"made": 1}
    assert first.written == 1


def test_what_is_lost_is_made_again(tmp_path: Path) -> None:
    """A record without what it tells of, or one that cannot be read, counts for nothing."""
    made = tmp_path / "made"
    steps = Steps(tmp_path, force=False, tell=lambda message: None)
    steps.run("write", writing(made), made)
    made.unlink()
    steps.run("write", writing(made), made)
    assert made.read_text() == "x"
    (tmp_path / "steps" / "write.json").write_text("{")
    steps.run("write", writing(made), made)
    assert made.read_text() == "xx"


def test_a_failed_step_leaves_no_record(tmp_path: Path) -> None:
    """Its last words are said, and it is run again the next time."""
    made = tmp_path / "made"
    steps = Steps(tmp_path, force=False, tell=lambda message: None)
    with pytest.raises(MachineError, match=r"code 3: no luck.*write\.log"):
        steps.run("write", writing(made, "import sys; print('no luck', file=sys.stderr); sys.exit(3)"), made)
    steps.run("write", writing(made), made)
    assert size_of(tmp_path / "made") == 1


def test_the_command_of_a_user_is_run() -> None:
    """It is the installed one, and answers for machines."""
    command = engine("doctor")
    assert Path(command[0]).stem == "engine"
    assert command[1:] == ["doctor", "--json"]
