"""The command `engine explain`, called as `main` calls it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from engine_runtime import cli
from profile_reading import read, section
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


def test_page_has_the_numbers_of_the_json(world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Every interest, event and part of a score on the page is the number in the JSON."""
    path = tmp_path / "profile.html"
    assert run("u08", *world.options, "--top", 4, "--html", path, "--json") == 0
    said = capsys.readouterr()
    assert "1 profile" in said.err
    assert "u08" not in said.err
    found, page = json.loads(said.out), read(path.read_text(encoding="utf-8"))
    for drawn, interest in zip(section(page, "interests").all("details"), found["interests"], strict=True):
        parts = [part["weight"] for part in interest["events"]]
        assert drawn.numbers == [interest["weight"], *parts, interest["weight"]]
    cards = section(page, "recommended").all("ol", kind="cards")[0].children
    for card, reason in zip(cards, found["items"], strict=True):
        by_part, by_event = (table.numbers for table in card.all("table"))
        assert by_part[-1] == by_event[-1] == reason["score"]
        assert by_event[:-2] == [event["share"] for event in reason["events"]]
        for numbers in (by_part, by_event):
            assert sum(numbers[:-1]) == pytest.approx(reason["score"], abs=1e-5)


def test_page_in_chinese(world: World, tmp_path: Path) -> None:
    """The page is written in the language that is asked for."""
    path = tmp_path / "profile.html"
    assert run("u08", *world.options, "--html", path, "--language", "zh") == 0
    text = read(path.read_text(encoding="utf-8")).text
    assert "你的画像" in text
    assert "What you like" not in text


def test_a_sample_is_drawn_again_by_its_seed(world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Equal seeds show equal users, each once, with an index; the JSON is a list."""
    path = tmp_path / "sample.html"
    assert run("--sample", 5, "--seed", 3, *world.options, "--html", path, "--json") == 0
    users = [found["user_id"] for found in json.loads(capsys.readouterr().out)]
    page = read(path.read_text(encoding="utf-8"))
    assert [name.text for name in page.all("ol", kind="people")[0].all("span", kind="name")] == users
    assert len(set(users)) == 5
    first = path.read_bytes()
    assert run("--sample", 5, "--seed", 3, *world.options, "--html", path) == 0
    assert path.read_bytes() == first


def test_several_users_follow_each_other(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    """Named users are explained in their order, one that is named twice once."""
    assert run("u08", "idle", "u08", *world.options) == 0
    said = capsys.readouterr().out
    assert said.index("user u08") < said.index("user idle")
    assert said.count("user u08") == 1


def test_users_or_a_sample(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    """Neither and both are refused as a wrong call."""
    assert run(*world.options) == 2
    assert run("u08", "--sample", 2, *world.options) == 2
    assert "one of the two" in capsys.readouterr().err
