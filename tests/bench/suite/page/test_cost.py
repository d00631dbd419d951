"""What serving costs."""

from __future__ import annotations

from dataclasses import replace

import pytest

from engine_bench.suite.histogram import Interval
from engine_bench.suite.page.cost import Price, cores, costs
from tiny_records import CARD, record, row


def test_cost_follows_rate_cores_and_price() -> None:
    """100 users a second on 2 cores are 180,000 a core-hour; at 0.10 a core-hour a million of them cost 0.56."""
    (found,) = costs(record(row(rate=100.0)), Price(0.1, "EUR"))
    assert found.per_core_hour.value == 180_000
    assert found.per_unit is not None
    assert found.per_million is not None
    assert found.per_unit.value == pytest.approx(1_800_000)
    assert found.per_million.value == pytest.approx(1e6 / 1.8e6)


def test_ends_of_the_interval_change_places() -> None:
    """The faster end of a rate is the cheaper end of its cost."""
    one = replace(row(), figures={"users_per_second": Interval(100.0, 90.0, 110.0)})
    (found,) = costs(record(one), Price(1.0, "EUR"))
    assert found.per_million is not None
    low, high = found.per_million.low, found.per_million.high
    assert low is not None
    assert high is not None
    assert low < found.per_million.value < high


def test_without_a_price_there_is_no_money() -> None:
    """Core-hours are told all the same."""
    (found,) = costs(record(row()), None)
    assert (found.per_unit, found.per_million) == (None, None)


def test_scenarios_without_users_cost_nothing() -> None:
    """A scenario without a rate of users, or with none served, has no cost."""
    other = replace(row(), figures={"queries_per_second": Interval(5.0)})
    assert costs(record(other, row(rate=0.0)), None) == ()


def test_quota_is_what_is_paid_for() -> None:
    """A control group that grants less than the machine's CPUs counts."""
    assert [cores(replace(CARD, quota=quota)) for quota in (None, 1.5, 8.0)] == [2, 1.5, 2]
