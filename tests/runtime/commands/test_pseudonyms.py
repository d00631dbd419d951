"""The commands of `engine pseudonyms`, called as `main` calls them."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from engine_runtime import cli
from engine_runtime.artefacts.keys import read_key
from engine_runtime.profile.pseudonyms import pseudonyms
from engine_runtime.serve.batch import serve_batch
from tiny import World


def run(*arguments: object) -> int:
    """Run ``engine pseudonyms``."""
    return cli.run(["pseudonyms", *map(str, arguments)])


def test_a_key_is_made_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A new key can be read; it is not printed, and a second one never takes its place."""
    assert run("new-key", tmp_path / "key") == 0
    key = read_key(tmp_path / "key")
    assert run("new-key", tmp_path / "key") == 2
    assert run("new-key", tmp_path / "other", "--json") == 0
    said = capsys.readouterr()
    assert json.loads(said.out.splitlines()[-1]) == {"key": str(tmp_path / "other"), "bytes": 32}
    assert key.hex() not in said.out + said.err
    assert read_key(tmp_path / "key") == key != read_key(tmp_path / "other")


def test_a_map_leads_from_one_key_to_the_next(world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The map has each user's two names, and is replaced only where that is asked for."""
    output, _ = serve_batch(world.engine(), world.dataset, tmp_path / "output")
    run("new-key", tmp_path / "one")
    run("new-key", tmp_path / "two")
    keys = ["--key", tmp_path / "one", "--to-key", tmp_path / "two", "--out", tmp_path / "map.parquet"]
    assert run("map", output.root, *keys) == 0
    assert run("map", output.root, *keys) == 2
    capsys.readouterr()
    assert run("map", output.root, *keys, "--force", "--json") == 0
    assert json.loads(capsys.readouterr().out)["users"] == output.info.n_users
    names = [pseudonyms(["u07"], read_key(tmp_path / name))[0] for name in ("one", "two")]
    assert dict(zip(("old", "new"), names, strict=True)) in pq.read_table(tmp_path / "map.parquet").to_pylist()
