"""The command `engine recommend`, called as `main` calls it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import tiny
from engine_runtime import cli
from engine_runtime.data.stored import read_users
from tiny import World


def run(*arguments: object) -> int:
    """Run ``engine recommend``."""
    return cli.run(["recommend", *map(str, arguments)])


def test_every_user_can_be_shown(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    """Whatever is known of a user, the portrait names the user and the items to recommend."""
    for user in read_users(world.dataset)["user_id"].to_pylist():
        assert run(user, *world.options, "--top-k", 3) == 0
        said = capsys.readouterr().out
        assert f"user {user}\n" in said
        assert "  1. " in said.split("recommended")[1]
        assert "  4. " not in said


def test_what_a_portrait_says(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    """Attributes, habits, spending and the newest events are in words; a user without events is said to have none."""
    said = {}
    for user in ("u02", "u08", "u04", "idle"):
        assert run(user, *world.options) == 0
        said[user] = capsys.readouterr().out
    assert "  age 40\n" in said["u02"]
    assert "events a week, the last" in said["u08"]
    assert "UTC" in said["u08"]
    assert "  8 events: " in said["u08"]
    assert "  spent " in said["u08"]
    assert "  prices: " in said["u08"]
    assert "events a week" not in said["u04"]  # none of these has a time
    assert "no events: what is popular is shown" in said["idle"]


def test_a_portrait_for_machines(world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A machine reads the user's row of the output; its moment is ISO 8601, or null where no event has a time."""
    assert run("u08", *world.options, "--top-k", 2, "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["user_id"], found["n_events"], len(found["recommendations"])) == ("u08", 8, 2)
    assert found["as_of"].startswith("2021-01-")
    assert found["as_of"].endswith("+00:00")
    untimed = tiny.ingest_shop(tmp_path / "untimed", events=tiny.UNPLACED)
    assert run("u01", *world.options[:2], "--events", untimed.root, "--json") == 0
    assert json.loads(capsys.readouterr().out)["as_of"] is None


def test_a_written_profile(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    """Sentences of a language stand for the table above the lists, and beside the row for machines."""
    assert run("u08", *world.options, "--language", "en") == 0
    said = capsys.readouterr().out
    assert "  8 events of this user are known: " in said
    assert "events a week, the last" not in said
    assert said.index("Recommended next") < said.index("newest events\n") < said.index("recommended\n")
    assert run("u08", *world.options, "--language", "zh", "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert "该用户有 8 条行为记录" in "".join(found["written"])
    assert found["n_events"] == 8
    assert "prompt" not in found


def test_a_prompt(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    """A prompt alone is printed, without the user's id, in English if no language is named."""
    assert run("u08", *world.options, "--prompt") == 0
    said = capsys.readouterr().out
    assert said.startswith("Write a profile")
    assert json.loads(said[said.index("{") :])["events"] == 8
    assert "u08" not in said
    assert run("u08", *world.options, "--prompt", "--language", "zh", "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert found["prompt"].startswith("请")
    assert found["written"]


def test_a_user_who_is_not_there(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    """An unknown user is the input's fault, exit code 4."""
    assert run("nobody", *world.options) == 4
    assert "no user 'nobody'" in capsys.readouterr().err
