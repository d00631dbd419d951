"""The command `engine forget`, called as `main` calls it."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from engine_runtime import cli
from engine_runtime.artefacts.dataset import Dataset
from engine_runtime.artefacts.overlay import Correction, change, read_overlay
from engine_runtime.artefacts.receipt import read_receipt
from shops import Shop, events

if TYPE_CHECKING:
    from pathlib import Path

LOG = "user,item,time\ncustomer-0001,a,1\ncustomer-0001,b,2\ncustomer-0002,c,3\nv,a,4\n"


def run(*arguments: object) -> int:
    """Run ``engine forget``."""
    return cli.run(["forget", *map(str, arguments)])


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    return Shop(tmp_path / "shop").ingest(LOG).root


def test_a_user_is_forgotten(dataset: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A person reads what went and that no trace is left; neither that nor the receipt names the user."""
    place = tmp_path / "receipt.json"
    assert run("customer-0001", "--dataset", dataset, "--receipt", place) == 0
    said = capsys.readouterr()
    assert "1 users, 2 events" in said.out
    assert "0 traces" in said.out
    assert "customer-0001" not in said.out + said.err + place.read_text()
    receipt = read_receipt(place)
    assert receipt.artefacts[0].after == Dataset.open(dataset).manifest.digest
    assert run("v", "--dataset", dataset, "--receipt", place) == 2


def test_a_file_of_users_and_a_json_document(dataset: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Ids may come a line each, items and events beside them."""
    asked = tmp_path / "asked.txt"
    asked.write_text("customer-0002\n\n v \n")
    options = ("--users", asked, "--item", "b", "--event", "customer-0001", "a", 1, "--json")
    assert run("--dataset", dataset, *options, "--dry-run") == 0
    planned = json.loads(capsys.readouterr().out)["artefacts"]
    assert [(one["users"], one["items"], one["events"]) for one in planned] == [(3, 1, 4)]
    assert run("--dataset", dataset, *options) == 0
    receipt = json.loads(capsys.readouterr().out)
    assert receipt["artefacts"][0]["removed"] == {"users": 3, "items": 1, "events": 4}
    assert (receipt["requested"]["users"], receipt["requested"]["events"]) == (2, 1)
    assert events(Dataset.open(dataset)) == []


def test_corrections_are_named_before_they_go(
    dataset: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A dry run counts corrections and leaves them; the run takes them out and says so."""
    said = tmp_path / "said.json"
    mask = (Correction("c", "mask", 0.0, "2026-11-28T00:00:00Z"),)
    change(said, lambda overlay: replace(overlay, users={"v": mask}))
    assert run("v", "--dataset", dataset, "--overlay", said, "--dry-run", "--json") == 0
    planned = {one["kind"]: one["users"] for one in json.loads(capsys.readouterr().out)["artefacts"]}
    assert planned == {"dataset": 1, "corrections": 1}
    assert set(read_overlay(said).users) == {"v"}
    assert run("v", "--dataset", dataset, "--overlay", said) == 0
    assert "corrections" in capsys.readouterr().out
    assert not read_overlay(said).users


def test_exit_codes(dataset: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing named is 2, nobody known 4, a trace in a log 5: what was to go is gone all the same."""
    assert run("--dataset", dataset) == 2
    assert run("nobody", "--dataset", dataset) == 4
    assert "'user nobody': in no artefact that was given" in capsys.readouterr().err
    log = tmp_path / "log"
    log.write_text("seen customer-0001 today")
    assert run("customer-0001", "--dataset", dataset, "--scan", log) == 5
    assert f"the first: {log} (bytes, user)" in capsys.readouterr().err
    assert Dataset.open(dataset).info.n_users == 2
    (tmp_path / "latin").write_bytes(b"\xe9\n")
    assert run("--users", tmp_path / "latin", "--dataset", dataset) == 4
