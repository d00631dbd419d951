"""What a run of the suite found, kept."""

import json
from pathlib import Path

import msgspec
import pytest

from engine_bench.suite.histogram import Histogram, Interval
from engine_bench.suite.record import Point, Quality, Record, Row, StageTime, load, save
from engine_runtime.errors import ArtefactError, InputError
from tiny_records import record, row


def test_a_record_is_read_back_as_it_was_written(tmp_path: Path) -> None:
    """Rows with histograms, curves and stages survive the file; no other file is left beside it."""
    full = Row(
        scenario="server",
        quality=Quality({"text cosine_mean": 0.999}, Interval(0.06, 0.05, 0.07), Interval(0.1), 500),
        figures={"users_per_second": Interval(100.0, 99.0, 101.0)},
        rounds={"users_per_second": (99.0, 100.0, 101.0)},
        latency=Histogram.of([0.1, 0.2]),
        service=Histogram.of([0.1]),
        curve=(Point({"rate": 10.0, "p99": 0.2}),),
        stages={"rank": StageTime(1.0, 0.9)},
        tokens={"real": 10, "padded": 12},
        foreign=0.1,
        notes=("a note",),
    )
    kept = record(row(), full)
    save(kept, tmp_path / "history" / "record.json")
    assert load(tmp_path / "history" / "record.json") == kept
    assert [path.name for path in (tmp_path / "history").iterdir()] == ["record.json"]


def test_a_row_without_quality_is_no_row(tmp_path: Path) -> None:
    """A record whose row lost its quality is refused, by the path of what is missing."""
    path = tmp_path / "record.json"
    save(record(row()), path)
    document = json.loads(path.read_text())
    del document["rows"][0]["quality"]
    path.write_text(json.dumps(document))
    with pytest.raises(ArtefactError, match="quality"):
        load(path)


def test_a_record_of_another_schema_is_refused(tmp_path: Path) -> None:
    """What a later version wrote is not guessed at."""
    path = tmp_path / "record.json"
    path.write_bytes(msgspec.json.encode(record(row())).replace(b'"schema":1', b'"schema":2'))
    with pytest.raises(ArtefactError, match="schema 2"):
        load(path)


def test_an_absent_record_is_bad_input(tmp_path: Path) -> None:
    """The message says which command writes one."""
    with pytest.raises(InputError, match="engine bench run"):
        load(tmp_path / "record.json")


def test_a_row_is_found_by_its_scenario() -> None:
    """A scenario that did not run has none."""
    kept = record(row("offline"), row("single"))
    found: Record = kept
    assert found.row("single") == row("single")
    assert found.row("soak") is None
