"""The command `engine data append`, called as `main` calls it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from engine_runtime import cli
from engine_runtime.artefacts.dataset import Dataset
from shops import EVENTS, ITEMS, Shop

if TYPE_CHECKING:
    from pathlib import Path


def run(*arguments: object) -> int:
    """Run ``engine data append``."""
    return cli.run(["data", "append", *map(str, arguments)])


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    return Shop(tmp_path).ingest("user,item,time\nu,a,1\nu,b,2\n,a,3\n").root


def test_append_says_what_there_is(dataset: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A person reads the counts of the whole, with what was refused of the new files and before."""
    today = Shop(tmp_path).write("today.csv", "user,item,time\nv,c,9\nu,q,4\n")
    assert run(dataset, "--events", today, "--out", tmp_path / "new") == 0
    said = capsys.readouterr()
    assert "today.csv:3: item is in no item file" in said.out
    assert "events.csv:4: user id is missing" in said.out
    assert "append:" in said.err
    assert Dataset.open(tmp_path / "new").info.n_events == 3


def test_append_as_json(dataset: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A machine reads one JSON document; a configuration that says the same is taken."""
    shop = Shop(tmp_path)
    today = shop.write("today.csv", "user,item,time\nv,c,9\n")
    same = shop.write("same.toml", 'name = "shop"\n' + EVENTS + ITEMS)
    assert run(dataset, "--events", today, "--config", same, "--out", tmp_path / "new", "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["users"], found["events"], found["rejects"]["rows"]) == (2, 3, 1)


def test_exit_codes(dataset: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing to append and another configuration are 2, files that are all refused are 4."""
    shop = Shop(tmp_path)
    other = shop.write("other.toml", 'name = "other"\n' + EVENTS + ITEMS)
    bad = shop.write("bad.csv", "user,item,time\nv,c,soon\n")
    assert run(dataset, "--out", tmp_path / "new") == 2
    assert run(dataset, "--events", bad, "--config", other, "--out", tmp_path / "new") == 2
    assert "was made with name = 'shop', the configuration says 'other'" in " ".join(capsys.readouterr().err.split())
    assert run(dataset, "--events", bad, "--out", tmp_path / "new") == 4
    assert not (tmp_path / "new").exists()
