"""Habits against a query of the same events in DuckDB."""

from __future__ import annotations

from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pytest

from engine_runtime.data.histories import Histories, histories_from
from engine_runtime.data.schema import NO_TIME
from engine_runtime.profile.habits import TYPE, habits

TYPES = ("view", "cart", "buy")
KNOWN = "with known as (select *, make_timestamp(time * 1000000) as moment from events where time <> -1) "
RECENCY = "select user, $1 - max(time), count(*) / greatest(($1 - min(time)) / 604800, 1) from known group by all"
COUNTS = "select user, {part}(moment), count(*) from known group by all"


def some_histories() -> Histories:
    """Forty users with up to 30 events over a year, some of which have no time."""
    generator = np.random.default_rng(0)
    times, types = [], []
    for user in range(40):
        moments = generator.integers(1_500_000_000, 1_530_000_000, size=user % 31)
        moments[generator.random(len(moments)) < (1.0 if user == 7 else 0.1)] = NO_TIME
        times.append(moments.tolist())
        types.append(generator.integers(0, 3, size=len(moments)).tolist())
    return histories_from([[0] * len(moments) for moments in times], times=times, types=types)


def test_habits_are_those_of_a_query() -> None:
    """Hours, weekdays, recency and rate are what DuckDB counts in UTC."""
    histories = some_histories()
    as_of = int(histories.times.max())
    made = habits(histories, TYPES, as_of)
    assert made.type == TYPE
    events = pa.table({"user": histories.rows, "time": histories.times})
    with duckdb.connect() as connection:
        connection.register("events", events)
        wanted = {user: rest for user, *rest in connection.execute(KNOWN + RECENCY, [as_of]).fetchall()}
        hours, days = (np.zeros((40, 25)), np.zeros((40, 8)))
        for part, into in (("hour", hours), ("isodow", days)):
            for user, place, count in connection.execute(KNOWN + COUNTS.format(part=part)).fetchall():
                into[user, place] = count
    for user, row in enumerate(made.to_pylist()):
        if user not in wanted:
            assert [row[name] for name in ("hours", "weekdays", "days_since_last", "events_per_week")] == [None] * 4
            continue
        since, rate = wanted[user]
        assert row["hours"] == pytest.approx((hours[user, :24] / hours[user].sum()).tolist(), abs=1e-6)
        assert row["weekdays"] == pytest.approx((days[user, 1:] / days[user].sum()).tolist(), abs=1e-6)
        assert row["days_since_last"] == pytest.approx(since / 86400, rel=1e-5, abs=1e-6)
        assert row["events_per_week"] == pytest.approx(rate, rel=1e-5)
        own = histories.types[histories.rows == user].tolist()
        counted = {TYPES[kind]: own.count(kind) / len(own) for kind in set(own)}
        assert {share["type"]: share["share"] for share in row["types"]} == pytest.approx(counted)
    assert 7 not in wanted


def test_a_moment_that_is_known() -> None:
    """Monday 13 July 2026, 09:30 UTC, is a Monday at 9; recency is counted from the data set's newest moment."""
    row: dict[str, Any] = habits(
        histories_from([[1]], times=[[1_783_935_000]]), TYPES, 1_783_935_000 + 172_800
    ).to_pylist()[0]
    assert row["hours"].index(1.0) == 9
    assert row["weekdays"].index(1.0) == 0
    assert (row["days_since_last"], row["events_per_week"]) == (2.0, 1.0)


@pytest.mark.parametrize("items", [[], [[]], [[], [1, 2]]])
def test_without_times(items: list[list[int]]) -> None:
    """Where no event has a time, the mix of types is all there is."""
    made = habits(histories_from(items), TYPES, None)
    assert made.type == TYPE
    for row, own in zip(made.to_pylist(), items, strict=True):
        assert row["hours"] is row["weekdays"] is row["days_since_last"] is row["events_per_week"] is None
        assert row["types"] == ([{"type": "view", "share": 1.0}] if own else [])


def test_a_user_does_not_depend_on_the_others() -> None:
    """A user alone has the habits that the user has among others."""
    histories = some_histories()
    together = habits(histories, TYPES, 1_600_000_000).to_pylist()
    for user in (0, 7, 12, 30):
        assert habits(histories.take([user]), TYPES, 1_600_000_000).to_pylist() == [together[user]]
