"""The command `engine index`, called as `main` calls it."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest

import tiny
from engine_runtime import cli
from engine_runtime.artefacts.index import IndexArtefact
from engine_runtime.inference.encoder import TextEncoder
from tiny import World


def run(*arguments: object) -> int:
    """Run ``engine index``."""
    return cli.run(["index", *map(str, arguments)])


def test_an_index_for_people(world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A person reads what was built on stdout, and what happens on stderr."""
    assert run(world.bundle.root, world.dataset.root, "--out", tmp_path / "index") == 0
    said = capsys.readouterr()
    assert "of which may be recommended" in said.out
    assert "encoding 32 items with the fp32 encoder" in said.err
    assert run(world.bundle.root, world.dataset.root, "--out", tmp_path / "other", "--method", "hnsw", "--m", 8) == 0
    assert "hnsw, M 8, ef 64" in capsys.readouterr().out


def test_an_index_for_machines(world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A machine reads one JSON document, alone on stdout."""
    out = tmp_path / "index"
    assert run(world.bundle.root, world.dataset.root, "--out", out, "--threads", 1, "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert found["digest"] == IndexArtefact.open(out).manifest.digest == world.index.manifest.digest
    assert (found["index"], found["n_items"], found["method"]) == (str(out), 32, "exact")


def test_a_cache_is_filled_and_used(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With --cache a second index is the same, and no text is encoded for it."""
    common = (world.bundle.root, world.dataset.root, "--cache", tmp_path / "cache", "--json")
    assert run(*common, "--out", tmp_path / "one") == 0
    monkeypatch.setattr(TextEncoder, "run", None)
    assert run(*common, "--out", tmp_path / "two") == 0
    one, two = map(json.loads, capsys.readouterr().out.splitlines())
    assert one["digest"] == two["digest"] == world.index.manifest.digest


@pytest.mark.parametrize("name", ["bundle", "bundle/", ".", "../bundle"])
def test_an_index_goes_beside_its_bundle(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """Without --out the index is BUNDLE.index, however the bundle is named."""
    shutil.copytree(world.bundle.root, tmp_path / "bundle")
    monkeypatch.chdir(tmp_path if name.startswith("bundle") else tmp_path / "bundle")
    assert run(name, world.dataset.root, "--json") == 0
    assert IndexArtefact.open(tmp_path / "bundle.index").info.n_items == 32


def test_exit_codes(world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A taken place is 2, a variant that cannot run 3, a damaged bundle 5, each with its reason."""
    out = tmp_path / "index"
    common = (world.bundle.root, world.dataset.root, "--out", out)
    assert run(*common, "--precision", "int8") == 3
    assert "no_such_feature" in capsys.readouterr().err
    assert not out.exists()
    assert run(*common) == 0
    assert run(*common) == 2
    assert "--force" in capsys.readouterr().err
    assert run(*common, "--force") == 0
    assert run(world.dataset.root, world.dataset.root, "--out", tmp_path / "x") == 5
    damaged = tmp_path / "damaged"
    shutil.copytree(world.bundle.root, damaged)
    (damaged / "concepts.json").write_text("[]")
    capsys.readouterr()
    assert run(damaged, world.dataset.root, "--out", tmp_path / "x") == 5
    assert "concepts.json is damaged" in capsys.readouterr().err
    assert run(tmp_path / "none", world.dataset.root) == 2
    assert not (tmp_path / "x").exists()


def test_an_index_gone_on_from(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With --from no known text is encoded; the result may take the place of the index that it came from."""
    live = tmp_path / "live"
    shutil.copytree(world.index.root, live)
    monkeypatch.setattr(TextEncoder, "run", None)
    common = (world.bundle.root, world.dataset.root, "--from", live, "--out", live, "--json")
    assert run(*common) == 2
    assert run(*common, "--force") == 0
    assert json.loads(capsys.readouterr().out)["digest"] == world.index.manifest.digest
    assert [path.name for path in tmp_path.iterdir()] == ["live"]


def test_dead_points_are_told(world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A person reads how many points of a graph that was gone on from are dead."""
    graph = ("--method", "hnsw", "--m", 8)
    assert run(world.bundle.root, world.dataset.root, "--out", tmp_path / "one", *graph) == 0
    assert " dead" not in capsys.readouterr().out
    fewer = tiny.ingest_shop(tmp_path / "shop", [item for item in tiny.shop_items() if item.id != "i01"])
    assert run(world.bundle.root, fewer.root, "--from", tmp_path / "one", "--out", tmp_path / "two", *graph) == 0
    assert re.search(r"distinct vectors +\d+, \d+ dead", capsys.readouterr().out)
