"""The verdict in words."""

from __future__ import annotations

from dataclasses import replace

from engine_bench.suite.histogram import Interval
from engine_bench.suite.page.cost import Price, costs
from engine_bench.suite.page.summary import headlines, paragraphs, setting
from engine_bench.suite.record import Record
from sample_records import whole_record
from tiny_records import record, row


def said(record: Record, price: Price | None = None) -> str:
    return " ".join(paragraphs(record, costs(record, price), price))


def test_verdict_tells_rate_latency_cost_and_quality() -> None:
    """Each question of a person who chooses hardware has a sentence."""
    words = said(whole_record(), Price(0.1, "EUR"))
    for part in ("With all users at hand", "99 % of them are answered within 50 ms", "(p99)", "EUR", "NDCG@10 0.0601"):
        assert part in words


def test_server_that_keeps_no_rate_is_said_so() -> None:
    """Where no rate keeps the service level the verdict says that, and the scenario has no cost."""
    none = record(replace(row("server"), figures={"requests_per_second": Interval(0.0)}))
    assert "No rate of requests" in said(none)
    assert costs(none, None) == ()


def test_load_of_others_is_a_doubt() -> None:
    """Where others used the machine it is said that it would do better alone."""
    assert "0.50 CPUs busy during offline" in said(record(replace(row(), foreign=0.5)))
    assert "would do better" not in said(record(replace(row(), foreign=0.01)))


def test_what_was_not_measured_is_not_spoken_of() -> None:
    """A record of one scenario speaks of that one, and without a price it asks for one."""
    words = said(record(row()))
    assert "at random" not in words
    assert "One user" not in words
    assert "give --price" in words


def test_headlines_hold_the_numbers_of_the_record() -> None:
    """Behind the large figures lie the record's own values."""
    record = whole_record()
    found = {one.label: one.cell.value for one in headlines(record, costs(record, None), None)}
    server = record.row("server")
    assert server is not None
    assert found["p99 within 50 ms"] == server.figures["requests_per_second"].value
    assert "A core-hour serves" in found


def test_setting_names_variant_machine_and_time() -> None:
    """What ran, on what, when."""
    assert (
        setting(record(row()))
        == "The int8 variant on Example 9000, 2 CPUs. Measured 2026-01-01 00:00 UTC, 0.0 minutes."
    )
