"""`engine bench facts`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from engine_runtime.cli import run
from engine_runtime.search.building import IndexSettings
from engine_runtime.serve.engine import Engine
from engine_runtime.serve.indexing import make_index
from tiny import TRAINED, World, make_world, write_bundle


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return make_world(tmp_path_factory.mktemp("facts"))


def test_facts_are_shown_and_kept(world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The tables name positions, nodes and files; the file holds the same as the document."""
    options = [*world.options, "--target=cpu-any", "--threads=1"]
    assert run(["bench", "facts", *options, f"--out={tmp_path / 'facts.json'}"]) == 0
    printed = capsys.readouterr().out
    assert all(part in printed for part in ("cpu-any", "padding", "MatMul", "bundle encoder.fp32.onnx"))
    assert run(["bench", "facts", *options, "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == json.loads((tmp_path / "facts.json").read_text())


def test_a_target_that_does_not_fit_is_a_matter_of_the_machine(
    world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 3, and the need that is not met is named."""
    target = tmp_path / "other.toml"
    target.write_text(
        'title = "another machine"\n[needs]\nall_of = ["warp_drive"]\n[runs]\nprecision = "fp32"\n'
        "[service]\np99_seconds = 1.0\nrecall = 1.0\n"
    )
    assert run(["bench", "facts", *world.options, f"--target={target}"]) == 3
    assert "no CPU feature warp_drive" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["facts", "run"])
def test_a_bundle_whose_report_was_removed_cannot_be_benched(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    """Exit code 5, and the missing file is named, before anything is measured."""
    world = make_world(tmp_path)
    world.bundle.parity.unlink()
    assert run(["bench", command, *world.options]) == 5
    assert "parity.json is missing" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["facts", "run"])
def test_a_whole_bundle_with_an_empty_report_cannot_be_benched(
    world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    """A bundle sealed so, with an index of its own, serves; its speed is not measured, and the way out is named."""
    bundle = write_bundle(tmp_path / "bundle", TRAINED, parity_json=b"{}")
    index = make_index(Engine.load(bundle.root, threads=1), world.dataset, tmp_path / "index", IndexSettings())
    options = [f"--bundle={bundle.root}", f"--index={index.root}", f"--events={world.dataset.root}"]
    assert run(["bench", command, *options]) == 5
    said = " ".join(capsys.readouterr().err.split())
    assert "cannot be benched" in said
    assert "engine export" in said
