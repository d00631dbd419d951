"""The command `engine tune`, called as `main` calls it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import tiny
from engine_runtime import cli
from engine_runtime.artefacts.encoder import KIND, TOKENIZER_FILE, graph_file
from engine_runtime.artefacts.writing import drafting
from engine_runtime.inference.encoder import TextEncoder
from engine_runtime.inference.tuning import CANDIDATES
from tiny import World


@pytest.fixture(autouse=True)
def own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PROFILE_ENGINE_HOME", str(tmp_path / "home"))


def run(*arguments: object) -> int:
    """Run ``engine tune``."""
    return cli.run(["tune", *map(str, arguments)])


def test_a_bundle_is_tuned(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    """What was measured is said, kept, used by the next encoder and shown by the doctor."""
    assert run(world.bundle.root, "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert found["artefact"] == world.bundle.manifest.digest
    assert found["precision"] == "fp32"
    assert [int(budget) for budget in found["rates"]] == list(CANDIDATES)
    assert found["budget"] in CANDIDATES
    assert Path(found["kept"]).is_file()
    assert TextEncoder.open(world.bundle, "fp32").budget == found["budget"]


def test_an_encoder_is_tuned(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """An encoder exported alone is measured too; a person reads a table."""
    with drafting(tmp_path / "encoder", KIND) as draft:
        tiny.write_tokenizer(draft.path / TOKENIZER_FILE)
        for precision in tiny.ENCODER.precisions:
            (draft.path / graph_file(precision)).write_bytes(tiny.encoder_graph(item=False))
        draft.seal(tiny.ENCODER)
    assert run(tmp_path / "encoder") == 0
    said = capsys.readouterr()
    assert "suit fp32 here" in said.out
    assert "tokens/s a thread" in said.out
    assert str(tmp_path / "home") in said.err


def test_exit_codes(world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A variant that cannot run here is 3, a directory that holds no encoder 5."""
    assert run(world.bundle.root, "--precision", "int8") == 3
    assert run(world.dataset.root) == 5
    assert run(tmp_path) == 5
    assert "no artefact in" in capsys.readouterr().err
