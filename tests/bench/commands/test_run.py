"""`engine bench run` as a user calls it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from engine_bench.suite.record import load
from engine_export.parity import Limits, ParityReport
from engine_runtime.cli import run
from engine_runtime.search.building import IndexSettings
from engine_runtime.serve.engine import Engine
from engine_runtime.serve.indexing import make_index
from tiny import TRAINED, ingest_shop, make_world, write_bundle


def test_a_record_is_printed_and_kept(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The same document on stdout, in the file and in the history; without --json tables."""
    bundle = write_bundle(tmp_path / "bundle", TRAINED, parity_json=ParityReport(20, 10, Limits()).encode())
    dataset = ingest_shop(tmp_path / "shop")
    index = make_index(Engine.load(bundle.root, threads=1), dataset, tmp_path / "index", IndexSettings())
    out, history = tmp_path / "record.json", tmp_path / "history"
    given = [f"--bundle={bundle.root}", f"--index={index.root}", f"--events={dataset.root}", "--minutes=0.001"]
    command = ["bench", "run", *given, "--scenarios=search,offline"]
    assert run([*command, "--json", f"--out={out}", f"--history={history}"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [row["scenario"] for row in found["rows"]] == ["offline", "search"]
    (kept,) = history.glob("*/*.json")
    assert load(kept) == load(out)
    assert run(command) == 0
    assert "users_per_second" in capsys.readouterr().out


def test_a_bundle_without_figures_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A speed without its quality is none: exit code 5."""
    world = make_world(tmp_path)
    bare = write_bundle(tmp_path / "bare", TRAINED, parity_json=b"{}")
    index = make_index(Engine.load(bare.root, threads=1), world.dataset, tmp_path / "index of it", IndexSettings())
    assert run(["bench", "run", f"--bundle={bare.root}", f"--index={index.root}", world.options[2]]) == 5
    assert "cannot be benched" in capsys.readouterr().err


def test_an_unknown_scenario_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With those that there are."""
    assert run(["bench", "run", *make_world(tmp_path).options, "--scenarios=nightly"]) == 2
    assert "no scenario 'nightly'" in capsys.readouterr().err
