"""What a team sees of `engine serve-batch` from outside."""

from __future__ import annotations

import json
import re
import socket
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

import tiny
from engine_runtime import cli
from engine_runtime.artefacts.output import Output
from engine_runtime.serve.watch import Watch
from shops import Shop
from tiny import World


def run(*arguments: object, before: tuple[str, ...] = ()) -> int:
    """Run ``engine serve-batch``."""
    return cli.run([*before, "serve-batch", *map(str, arguments)])


def events_of(said: str) -> list[dict[str, Any]]:
    """Documents of a log; every line is one."""
    return [json.loads(line) for line in said.splitlines()]


def fetch(url: str) -> str:
    """Text at an address."""
    with urllib.request.urlopen(url, timeout=30) as answer:  # noqa: S310 (http, of this machine)
        text: str = answer.read().decode()
    return text


@pytest.mark.parametrize("workers", [1, 2])
def test_metrics_in_the_middle_of_a_run(
    workers: int, world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """After the first part its users are done and the others left, without an id; after the run nobody answers."""
    real = Watch.done
    seen: list[str] = []

    def done(watch: Watch, bucket: int, counts: Mapping[str, int]) -> None:
        real(watch, bucket, counts)
        if not seen:
            found = re.search(r"metrics are at (http://127\.0\.0\.1:\d+/metrics)", capsys.readouterr().err)
            assert found
            seen.extend([found[1], fetch(found[1])])

    monkeypatch.setattr(Watch, "done", done)
    assert run(*world.options, "--out", tmp_path / "output", "--workers", workers, "--metrics-port", 0) == 0
    url, text = seen
    samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
    found = {sample.name.removeprefix("profile_engine_"): sample for sample in samples}
    info = world.dataset.info
    served, left = found["users_served_total"].value, found["users_left"].value
    assert 0 < served < info.n_users
    assert served + left == info.n_users
    assert found["parts_finished_total"].value + found["parts_left"].value == info.n_buckets
    assert found["run_info"].labels["index_digest"] == world.index.manifest.digest
    assert not re.search(r"\b(u\d\d|i\d\d|idle)\b", text)
    with pytest.raises(urllib.error.URLError, match="refused"):
        fetch(url)


def test_a_taken_port_is_found_before_the_work(
    world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is exit code 2, and nothing is begun."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert run(*world.options, "--out", tmp_path / "output", "--metrics-port", port) == 2
    assert f"127.0.0.1:{port}" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_the_summary_is_what_json_prints(world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """File and stdout hold one document, with the options; with or without it the output's bytes are the same."""
    path = tmp_path / "summary.json"
    assert run(*world.options, "--out", tmp_path / "output", "--summary", path, "--json") == 0
    document = json.loads(capsys.readouterr().out)
    assert json.loads(path.read_text()) == document
    assert document["digest"] == Output.open(tmp_path / "output").manifest.digest
    assert document["options"]["events"] == [str(world.dataset.root)]
    assert document["options"]["resume"] is False
    assert run(*world.options, "--out", tmp_path / "other") == 0
    assert Output.open(tmp_path / "other").manifest.digest == document["digest"]


def test_a_summary_in_a_wrong_place_is_found_before_the_work(world: World, tmp_path: Path) -> None:
    """It is exit code 2, and nothing is begun."""
    assert run(*world.options, "--out", tmp_path / "output", "--summary", tmp_path / "absent" / "s.json") == 2
    assert list(tmp_path.iterdir()) == []


def test_people_see_stages_and_rejects(world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Where the time went is a table, and so is what was refused, by reason and without a cell of a file."""
    rows = "ann,i05,buy,1,1700000000,,,\n,i05,buy,2,1700000000,,,\nann,i06,lend,3,1700000000,,,\n"
    events = f"user,item,type,place,time,value,quantity,price\n{rows}"
    catalogue = "id,title,brand,price\n" + "".join(item.row for item in tiny.shop_items())
    dataset = Shop(tmp_path).ingest(events, catalogue, "user,sex,age\nann,f,30\n", tiny.CONFIG)
    arguments = (*world.options[:2], "--events", dataset.root, "--out", tmp_path / "output")
    assert run(*arguments) == 0
    said = capsys.readouterr().out
    assert re.search(r"where the time went, all workers together\nstage +seconds +of CPU +share\n", said)
    assert re.search(r"rows refused at ingest\nreason +rows\nunknown event type +1\nuser id is missing +1\n", said)
    assert "lend" not in said
    assert run(*arguments, "--resume") == 0
    assert "where the time went" not in capsys.readouterr().out
    assert run(*arguments, "--force", before=("--log-format", "json")) == 0
    warned = [event for event in events_of(capsys.readouterr().err) if event["level"] == "warning"]
    assert [(event["event"], event["rows"]) for event in warned] == [("rows rejected", 2)]


def test_a_log_for_machines(world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A run is a line for its start, its lineage, its progress, each bucket, the output and the end, without an id."""
    assert run(*world.options, "--out", tmp_path / "output", before=("--log-format", "json")) == 0
    said = capsys.readouterr().err
    events = events_of(said)
    info = world.dataset.info
    names = [event["event"] for event in events if event["event"] != "progress"]
    assert names == ["started", "serving", *["bucket done"] * info.n_buckets, "output whole", "ended"]
    by_name = {event["event"]: event for event in events}
    assert by_name["started"]["command"] == "serve-batch"
    assert by_name["serving"]["bundle_digest"] == world.bundle.manifest.digest
    assert by_name["ended"]["exit_code"] == 0
    assert by_name["progress"]["done"] == by_name["progress"]["total"] == info.n_users
    buckets = [event for event in events if event["event"] == "bucket done"]
    assert sorted(event["bucket"] for event in buckets) == list(range(info.n_buckets))
    assert sum(event["users"] for event in buckets) == info.n_users
    assert {event["level"] for event in events} == {"info"}
    assert not re.search(r"\b(u\d\d|i\d\d|idle)\b", said)


def test_a_failure_in_a_log_for_machines(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A stopped run warns of what it leaves, and its last line has the exit code; so has that of a wrong call."""

    def stop(watch: Watch, bucket: int, counts: Mapping[str, int]) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Watch, "done", stop)
    json_log = ("--log-format", "json")
    assert run(*world.options, "--out", tmp_path / "output", before=json_log) == 130
    *_, kept, failed = events_of(capsys.readouterr().err)
    assert (kept["level"], "--resume" in kept["message"]) == ("warning", True)
    assert (failed["level"], failed["event"], failed["exit_code"]) == ("error", "failed", 130)
    assert run("--nonsense", before=json_log) == 2
    *_, failed = events_of(capsys.readouterr().err)
    assert (failed["event"], failed["exit_code"]) == ("failed", 2)
    assert "--nonsense" in failed["message"]
