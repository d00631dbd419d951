"""The command `engine explain`, called as `main` calls it."""

from __future__ import annotations

import json

import pytest

from engine_runtime import cli
from tiny import World


def run(*arguments: object) -> int:
    """Run ``engine explain``."""
    return cli.run(["explain", *map(str, arguments)])


def test_what_is_said(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    """Interests with their events, and items with reasons; of a user without events, what is popular."""
    assert run("u08", *world.options, "--top", 2) == 0
    said = capsys.readouterr().out
    assert "8 events" in said
    assert "of it from" in said.split("recommended")[0]
    assert said.split("recommended")[1].count("Because of your ") == 2
    assert run("idle", *world.options) == 0
    assert "what is popular 100%" in capsys.readouterr().out


def test_json_has_all_shares(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    """The JSON is the whole explanation of the items that were asked for."""
    assert run("u08", *world.options, "--item", "i05", "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert found["user_id"] == "u08"
    (reason,) = found["items"]
    assert reason["item_id"] == "i05"
    whole = sum(share["share"] for share in reason["events"]) + reason["norm"] + reason["new_item"] + reason["popular"]
    assert whole == pytest.approx(reason["score"], abs=1e-5)


def test_unknown_names_are_input_errors(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    """A user or an item that is not there ends with exit code 4 and is named."""
    assert run("nobody", *world.options) == 4
    assert "no user 'nobody'" in capsys.readouterr().err
    assert run("u08", *world.options, "--item", "nothing") == 4
    assert "no item 'nothing'" in capsys.readouterr().err
