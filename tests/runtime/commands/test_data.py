"""The commands `engine data fetch`, `generate` and `ingest`, called as `main` calls them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from engine_runtime import cli
from engine_runtime.data import fetch as fetch_module
from shops import EVENTS, ITEMS, Shop

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    made = Shop(tmp_path)
    made.write("events.csv", "user,item,time\nu,a,1\nu,b,2\n,a,3\nu,q,4\n")
    made.write("items.csv", "id,title\na,Apple\nb,Bread\n")
    made.write("dataset.toml", 'name = "shop"\n' + EVENTS + ITEMS)
    made.write(
        "named.toml",
        'name = "shop"\n[files]\nevents = ["events.csv"]\nitems = ["items.csv"]\n' + EVENTS + ITEMS,
    )
    return made


def run(*arguments: object) -> int:
    """Run ``engine data``."""
    return cli.run(["data", *map(str, arguments)])


def test_ingest_says_what_there_is(shop: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    """A person reads the counts, the reasons and where the first refused rows stand."""
    assert run("ingest", "--config", shop.root / "named.toml", "--out", shop.root / "out") == 0
    said = capsys.readouterr()
    assert "items with events" in said.out
    assert "events.csv:4: user id is missing" in said.out
    assert "ingest:" in said.err


def test_ingest_as_json(shop: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    """A machine reads the same as one JSON document, alone on stdout."""
    files = ["--events", shop.root / "events.csv", "--items", shop.root / "items.csv"]
    code = run(
        "ingest",
        "--config",
        shop.root / "dataset.toml",
        *files,
        "--out",
        shop.root / "out",
        "--buckets",
        2,
        "--json",
    )
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert code == 0
    assert (found["users"], found["items"], found["events"], found["buckets"]) == (1, 2, 2, 2)
    assert found["rejects"] == {
        "rows": 2,
        "reasons": {"item is in no item file": 1, "user id is missing": 1},
        "first": [
            {"file": "events.csv", "line": 4, "reason": "user id is missing"},
            {"file": "events.csv", "line": 5, "reason": "item is in no item file"},
        ],
    }


def test_exit_codes(shop: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    """Bad rows with fail are 4, a taken output 2, an output replaced on request 0."""
    common = ("ingest", "--config", shop.root / "named.toml", "--out", shop.root / "out")
    assert run(*common, "--on-error", "fail") == 4
    assert run(*common) == 0
    assert run(*common) == 2
    assert run(*common, "--force") == 0
    assert run("ingest", "--config", shop.root / "none.toml", "--out", shop.root / "x") == 2
    assert "--force" in capsys.readouterr().err


def test_many_reasons_are_cut(shop: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    """Beyond ten reasons, a person is told how many more there are; without rejects, nothing is said."""
    types = "".join(f"u,a,1,kind{n}\n" for n in range(12))
    shop.write("events.csv", "user,item,time,kind\nu,a,1,view\n" + types)
    config = 'name = "s"\n' + EVENTS + 'type = "kind"\n[event_types]\nview = 1.0\n' + ITEMS
    path = shop.write("typed.toml", config)
    files = ["--events", shop.root / "events.csv", "--items", shop.root / "items.csv"]
    assert run("ingest", "--config", path, *files, "--out", shop.root / "out") == 0
    assert "and 2 more reasons" in capsys.readouterr().out
    shop.write("events.csv", "user,item,time,kind\nu,a,1,view\n")
    assert run("ingest", "--config", path, *files, "--out", shop.root / "clean") == 0
    assert "refused" not in capsys.readouterr().out


def test_fetch(shop: Shop, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Fetch hands its options on, and says what to do next, for people or for machines."""
    asked: list[tuple[Any, ...]] = []

    def fetch(name: str, out: Path, cache: Path | None, *, replace: bool) -> Path:
        asked.append((name, out, cache, replace))
        return out / "dataset.toml"

    monkeypatch.setattr(fetch_module, "fetch", fetch)
    out = shop.root / "raw"
    assert run("fetch", "ml-100k", "--out", out) == 0
    assert f"--config {out}/dataset.toml" in capsys.readouterr().out
    assert run("fetch", "ml-100k", "--out", out, "--cache", shop.root, "--force", "--json") == 0
    assert json.loads(capsys.readouterr().out)["config"] == str(out / "dataset.toml")
    assert asked == [("ml-100k", out, None, False), ("ml-100k", out, shop.root, True)]


def test_generate(shop: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    """What was made up is counted, for people or for machines; impossible sizes and a taken folder are exit code 2."""
    sizes = ("generate", "--users", 5, "--items", 9, "--events", 20, "--out", shop.root / "raw")
    assert run(*sizes) == 0
    assert f"--config {shop.root / 'raw'}/dataset.toml" in capsys.readouterr().out
    assert run(*sizes) == 2
    assert run(*sizes, "--force", "--seed", 7, "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["users"], found["items"], found["events"], found["seed"]) == (5, 9, 20, 7)
    assert run("generate", "--users", 5, "--items", 9, "--events", 4, "--out", shop.root / "few") == 2
    assert run("ingest", "--config", shop.root / "raw" / "dataset.toml", "--out", shop.root / "made") == 0


@pytest.mark.parametrize("command", [[], ["fetch"], ["generate"], ["ingest"], ["append"]])
def test_help_has_an_example(command: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Every command's help shows how it is called."""
    assert cli.run(["data", *command, "--help"]) == 0
    assert "Example:\n    engine data" in capsys.readouterr().out
