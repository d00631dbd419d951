"""The command `engine serve-batch`, called as `main` calls it."""

from __future__ import annotations

import errno
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import tiny
from engine_runtime import cli
from engine_runtime.artefacts.output import Output
from engine_runtime.data import ingest as ingesting
from engine_runtime.serve.bucket import Source, serve_bucket
from tiny import World


def run(*arguments: object) -> int:
    """Run ``engine serve-batch``."""
    return cli.run(["serve-batch", *map(str, arguments)])


def users_of(output: Path) -> list[str]:
    """User ids of an output."""
    opened = Output.open(output)
    parts = [pq.read_table(opened.part(number), columns=["user_id"]) for number in range(opened.info.n_parts)]
    found: list[str] = pa.concat_tables(parts)["user_id"].to_pylist()
    return sorted(found)


def test_serving_for_people(world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A person reads counts, rate and the slowest stage; progress is on stderr in plain lines."""
    assert run(*world.options, "--out", tmp_path / "output", "--workers", 1) == 0
    said = capsys.readouterr()
    assert "users a second" in said.out
    assert "fp32 on cpu" in said.out
    assert "serving: 23 of 23 users" in said.err
    assert len(users_of(tmp_path / "output")) == 23


def test_serving_for_machines(world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A machine reads one JSON document with the seconds of each stage."""
    assert run(*world.options, "--out", tmp_path / "output", "--top-k", 3, "--json") == 0
    found = json.loads(capsys.readouterr().out)
    info = found["info"]
    assert (info["n_users"], info["top_k"], info["provider"]) == (23, 3, "cpu")
    assert sum(stage["wall_seconds"] for stage in found["stages"].values()) <= found["seconds"] * 1.5
    assert found["digest"] == Output.open(tmp_path / "output").manifest.digest


def test_serving_who_has_changed(world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Since an output of the same data set nobody is served, and an output never goes on from itself."""
    assert run(*world.options, "--out", tmp_path / "monday") == 0
    assert run(*world.options, "--since", tmp_path / "monday", "--out", tmp_path / "tuesday") == 0
    assert "users unchanged" in capsys.readouterr().out
    assert users_of(tmp_path / "tuesday") == []
    assert run(*world.options, "--since", tmp_path / "monday", "--out", tmp_path / "monday", "--force") == 2
    assert "cannot take its own place" in " ".join(capsys.readouterr().err.split())
    again = ["--since", tmp_path / "monday", "--out", tmp_path / "tuesday", "--resume", "--json"]
    assert run(*world.options, *again) == 0
    assert json.loads(capsys.readouterr().out)["earlier_users"] == 0


def test_products_have_one_thread() -> None:
    """The command is there before NumPy, which is told how many threads a product has when it is imported."""
    program = "import sys; from engine_runtime import cli; cli.load('serve-batch'); sys.exit('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_too_little_memory(world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """An amount too small for one worker, or none at all, is a usage error that says what to give."""
    for memory, said in {"100MB": "one worker needs", "much": "500MB or 2GB"}.items():
        assert run(*world.options, "--out", tmp_path / "output", "--memory", memory) == 2
        assert said in capsys.readouterr().err
        assert list(tmp_path.iterdir()) == []


def test_raw_events(world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Event files with their TOML are served against the index's catalogue; refused rows are counted."""
    header = "user,item,type,place,time,value,quantity,price\n"
    (tmp_path / "today.csv").write_text(
        header + "ann,i05,buy,0,1700000000,,1,2.5\n,i05,buy,0,1,,,\nann,i06,view,1,1700000009,,,\n"
    )
    (tmp_path / "people.csv").write_text("user,sex,age\nann,f,30\nbob,m,40\n")
    (tmp_path / "shop.toml").write_text('name = "shop"\n' + tiny.CONFIG)
    bundle_and_index = world.options[:2]
    out = tmp_path / "output"
    files = ["--events", tmp_path / "today.csv", "--users", tmp_path / "people.csv", "--config", tmp_path / "shop.toml"]
    assert run(*bundle_and_index, *files, "--out", out) == 0
    assert "1 rows were rejected" in capsys.readouterr().err
    assert users_of(out) == ["ann", "bob"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["output", "people.csv", "shop.toml", "today.csv"]


def test_a_call_that_contradicts_itself(world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A data set with a TOML, and files without one, are usage errors that say so."""
    (tmp_path / "shop.toml").write_text("")
    (tmp_path / "today.csv").write_text("")
    assert run(*world.options, "--config", tmp_path / "shop.toml", "--out", tmp_path / "output") == 2
    assert "is a data set already" in capsys.readouterr().err
    assert run(*world.options[:2], "--events", tmp_path / "today.csv", "--out", tmp_path / "output") == 2
    assert "need --config" in capsys.readouterr().err


def test_a_taken_place_is_found_before_the_work(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """That the output may not be replaced is said before files are read."""
    monkeypatch.setattr(ingesting, "ingest", lambda *arguments, **options: pytest.fail("read too early"))
    (tmp_path / "output").mkdir()
    (tmp_path / "output" / "mine").touch()
    (tmp_path / "today.csv").touch()
    files = ["--events", tmp_path / "today.csv", "--config", tmp_path / "today.csv"]
    for force in ([], ["--force"]):
        assert run(*world.options[:2], *files, "--out", tmp_path / "output", *force) == 2
        assert str(tmp_path / "output") in capsys.readouterr().err


def test_an_index_of_another_bundle(world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Version skew is exit code 5, and nothing is written."""
    other = tiny.write_bundle(tmp_path / "other", tiny.TRAINED[1:])
    options = [f"--bundle={other.root}", *world.options[1:]]
    assert run(*options, "--out", tmp_path / "output") == 5
    assert other.manifest.digest[:12] in capsys.readouterr().err
    assert not (tmp_path / "output").exists()


def test_a_stopped_run_says_how_to_go_on(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A full disk ends with exit code 3 and names --resume, which serves the rest and counts what it did."""
    real = serve_bucket

    def full(source: Source, bucket: int, *others: Any) -> dict[str, int]:
        if bucket == 1:
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(source, bucket, *others)

    out = tmp_path / "output"
    with monkeypatch.context() as patch:
        patch.setattr("engine_runtime.serve.batch.serve_bucket", full)
        assert run(*world.options, "--out", out, "--workers", 1) == 3
    said = capsys.readouterr().err
    assert "disk is full" in said
    assert "output.unfinished: add --resume" in said
    assert run(*world.options, "--out", out) == 2
    assert "Add --resume" in capsys.readouterr().err
    assert run(*world.options, "--out", out, "--resume", "--top-k", 3) == 5
    assert "top-k 10, not 3" in capsys.readouterr().err
    assert run(*world.options, "--out", out, "--resume", "--json") == 0
    found = json.loads(capsys.readouterr().out)
    ends = world.dataset.info.bucket_users
    assert (found["info"]["n_users"], found["served_users"]) == (23, 23 - ends[1])
    assert (found["resumed"], found["earlier_users"], found["earlier_parts"]) == (True, ends[1], 1)
    assert found["parents"]["index"] == world.index.manifest.digest
    assert run(*world.options, "--out", out, "--resume") == 0
    told = capsys.readouterr().out
    assert "served by an earlier run" in told
    assert "slowest stage" not in told


def test_ctrl_c_is_130(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """An interrupted run that has finished nothing leaves nothing, and says nothing of going on."""

    def interrupted(*arguments: Any) -> dict[str, int]:
        raise KeyboardInterrupt

    monkeypatch.setattr("engine_runtime.serve.batch.serve_bucket", interrupted)
    assert run(*world.options, "--out", tmp_path / "output") == 130
    assert "--resume" not in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
