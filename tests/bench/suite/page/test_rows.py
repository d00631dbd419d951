"""Tables of a record."""

from __future__ import annotations

from dataclasses import replace

from engine_bench.suite.histogram import Histogram
from engine_bench.suite.page import rows
from engine_bench.suite.page.tables import Table
from sample_records import whole_record
from tiny_records import record, row

RECORD = whole_record()


def values(table: Table | None, key: str) -> list[object]:
    assert table is not None
    place = [column.key for column in table.columns].index(key)
    return [cells[place].value for cells in table.rows]


def test_quality_stands_beside_every_speed() -> None:
    """No row of the table of scenarios is without the NDCG of what ran."""
    assert all(value == 0.0601 for value in values(rows.scenarios(RECORD), "ndcg_at_10"))


def test_quantiles_that_are_not_supported_are_not_told() -> None:
    """A thousand requests have a p99 and no p99.9."""
    latency = Histogram.of([0.001] * 1000)
    table = rows.latencies(record(replace(row(), latency=latency)))
    assert values(table, "p99.9_seconds") == [None]
    assert values(table, "p99_seconds") == [latency.quantile(0.99).value]


def test_time_of_service_has_a_row_of_its_own() -> None:
    """What counts from the schedule and what counts from the start of work stand below each other."""
    assert values(rows.latencies(RECORD), "from")[:3] == ["schedule", "schedule", "start of work"]


def test_tables_of_nothing_are_left_out() -> None:
    """A record without latencies, stages, tokens or curves has no tables of them."""
    bare = record(row())
    assert (rows.latencies(bare), rows.stages(bare), rows.tokens(bare), rows.points(bare.rows[0])) == (None,) * 4


def test_same_quality_is_told_once() -> None:
    """Scenarios of one artefact share its quality; another one has rows of its own."""
    assert set(values(rows.quality(RECORD), "scenarios")) == {", ".join(one.scenario for one in RECORD.rows)}
    other = replace(row("cold"), quality=replace(row().quality, n_users=7))
    assert set(values(rows.quality(record(row(), other)), "scenarios")) == {"offline", "cold"}


def test_machine_is_told_with_what_ran() -> None:
    """The card and the digests of the artefacts are in one table, digests whole in the JSON."""
    table = rows.machine(RECORD)
    known = dict(zip(values(table, "fact"), values(table, "value"), strict=True))
    assert known["processor"] == RECORD.machine.processor
    assert known["bundle"] == "b" * 64
    assert known["digest of this card"] == RECORD.machine.digest


def test_points_of_a_curve_keep_their_names() -> None:
    """A point that lacks a figure has a dash there."""
    server = RECORD.row("server")
    assert server is not None
    short = replace(server, curve=(*server.curve, type(server.curve[0])({"requests_per_second": 300.0})))
    assert values(rows.points(short), "p99_seconds")[-1] is None


def test_slugs_hold_letters_and_hyphens() -> None:
    """Any heading becomes a name that an address may hold."""
    assert rows.slug(" Where the <time> goes ") == "where-the-time-goes"
