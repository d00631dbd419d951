"""The chart of latencies."""

from __future__ import annotations

from dataclasses import replace

from engine_bench.suite.histogram import Histogram
from engine_bench.suite.page.distributions import latency_curves
from sample_records import whole_record
from tiny_records import record, row


def test_each_scenario_with_requests_has_a_line() -> None:
    """Scenarios with latencies are named, a second line counts from the start of work, and the median is in words."""
    record = whole_record()
    drawn = latency_curves(record)
    server = record.row("server")
    assert drawn is not None
    assert server is not None
    assert server.latency is not None
    assert drawn.count("<polyline") == 5
    assert "server, work alone" in drawn
    assert f"server: {server.latency.quantile(0.5).value * 1e3:.2f} ms at the median" in drawn


def test_few_requests_are_no_distribution() -> None:
    """Twenty requests tell a median and no curve."""
    assert latency_curves(record(replace(row(), latency=Histogram.of([0.1] * 20)))) is None
