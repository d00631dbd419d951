"""The command `engine protect`, called as `main` calls it."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from engine_runtime import cli
from engine_runtime.artefacts.keys import make_key, read_key
from engine_runtime.artefacts.released import Released
from engine_runtime.profile.pseudonyms import pseudonyms
from engine_runtime.serve.batch import serve_batch
from tiny import World


@pytest.fixture(scope="module")
def output(world: World, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("served") / "output"
    serve_batch(world.engine(), world.dataset, path)
    return path


def run(*arguments: object) -> int:
    """Run ``engine protect``."""
    return cli.run(["protect", *map(str, arguments)])


def test_a_release_with_a_key(output: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Names are those that the key gives; a release opens as one, and is replaced only where that is asked for."""
    make_key(tmp_path / "key")
    out = tmp_path / "released"
    assert run(output, "--key", tmp_path / "key", "--out", out) == 0
    assert "HMAC-SHA256" in capsys.readouterr().out
    made = Released.open(out)
    assert pseudonyms(["u07"], read_key(tmp_path / "key"))[0] in pq.read_table(made.part(0))["user_id"].to_pylist()
    assert run(output, "--out", out) == 2
    assert run(output, "--out", out, "--force") == 0


def test_json_states_the_promise(
    world: World, output: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The document has epsilon, delta, sigma, mechanism, sensitivity and unit, as the manifest has."""
    options = ["--bundle", world.bundle.root, "--epsilon", 2, "--delta", 1e-5, "--out", tmp_path / "r", "--json"]
    assert run(output, *options) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["noise"]["epsilon"] == 2
    assert found["noise"]["sensitivity"] == pytest.approx(2**0.5)
    assert found["noise"] == Released.open(tmp_path / "r").manifest.info["noise"]
    assert found["noise"]["unit"].startswith("one user's whole history")


def test_people_read_what_was_done(
    world: World, output: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The table names promise, noise, and columns that are null."""
    options = ["--bundle", world.bundle.root, "--epsilon", 4, "--mechanism", "response", "--drop", "query"]
    assert run(output, *options, "--out", tmp_path / "r") == 0
    said = capsys.readouterr().out
    assert "epsilon 4, delta 0" in said
    assert "query, habits" in said


def test_wrong_calls(world: World, output: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A key that is open, a promise of nothing, and an attribute that no one has end with their codes."""
    (tmp_path / "key").write_bytes(b"x" * 32)
    (tmp_path / "key").chmod(0o644)
    assert run(output, "--key", tmp_path / "key", "--out", tmp_path / "r") == 4
    assert run(output, "--bundle", world.bundle.root, "--epsilon", 0, "--out", tmp_path / "r") == 2
    events = ["--events", world.dataset.root, "--bundle", world.bundle.root]
    assert run(output, *events, "--remove", "shoe", "--out", tmp_path / "r") == 2
    assert run(world.dataset.root, "--out", tmp_path / "r") == 5
    assert "u07" not in capsys.readouterr().err
