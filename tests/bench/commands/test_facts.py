"""`engine bench facts`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from engine_runtime.cli import run
from tiny import World, make_world


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


def test_a_bundle_whose_report_was_removed_cannot_be_benched(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 5, and the missing file is named, before anything is measured."""
    world = make_world(tmp_path)
    world.bundle.parity.unlink()
    assert run(["bench", "facts", *world.options]) == 5
    assert "parity.json is missing" in capsys.readouterr().err
