"""The facets of users as DuckDB counts them in raw files, and how far served facets are from them.

A connection has the views ``events`` (user_id, item_id, type, time, quantity, price; time in seconds, null where it is
not known), ``items`` (item_id, brand, price) and ``users`` (user_id and attributes, as texts).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

import duckdb

from engine_runtime.profile.spending import BANDS, TOP_BRANDS

Facets = dict[str, dict[str, Any]]
"""By user and by name of the facet; what a user lacks has no entry."""

TIMED = "with timed as (select *, make_timestamp(time * 1000000) as moment from events where time is not null) "
WEEKS = "greatest(($1 - min(time)) / 604800.0, 1)"
RECENCY = f"select user_id, ($1 - max(time)) / 86400.0, count(*) / {WEEKS} from timed group by user_id"
COUNTS = "select user_id, {group} as name, {amount} as amount from {rows} group by all having amount > 0"
PRICED = """with priced as (
    select user_id, brand, events.price::double as price, events.price::float::double as shown,
        coalesce(quantity, 1) as units
    from events left join items using (item_id) where events.price is not null
), bought as (select * from priced where units > 0) """
TOTALS = """select user_id, sum(price * units), sum(units),
    sum(price * units) filter (units > 0) / nullif(sum(units) filter (units > 0), 0) from priced group by user_id"""
EDGES = f"select quantile_cont(price::float::double, [{1 / 3}, {2 / 3}]) from items where price is not null"
BRANDED = "(select * from bought where brand is not null)"
# a data set holds prices in single precision, and a price may stand on an edge
BAND = "case when shown < {} then '{}' when shown < {} then '{}' else '{}' end"


def facets(connection: duckdb.DuckDBPyConnection) -> Facets:
    """Habits, spending and attributes of every user who has any."""
    found: Facets = {}
    as_of = connection.execute("select max(time) from events").fetchall()[0][0]
    for user, since, rate in connection.execute(TIMED + RECENCY, [as_of]).fetchall() if as_of is not None else []:
        found.setdefault(user, {}).update(days_since_last=since, events_per_week=rate)
    for name, group in (("hours", "hour(moment)"), ("weekdays", "isodow(moment) - 1")):
        _shares(connection, found, name, TIMED + COUNTS.format(group=group, amount="count(*)", rows="timed"))
    _shares(connection, found, "types", COUNTS.format(group="type", amount="count(*)", rows="events"))
    for user, total, quantity, mean in connection.execute(PRICED + TOTALS).fetchall():
        found.setdefault(user, {}).update(total=total, quantity=quantity)
        found[user] |= {} if mean is None else {"mean_price": mean}
    _shares(
        connection, found, "brands", PRICED + COUNTS.format(group="brand", amount="sum(price * units)", rows=BRANDED)
    )
    edges = connection.execute(EDGES).fetchall()[0][0]
    if edges is not None:
        band = BAND.format(edges[0], BANDS[0], edges[1], BANDS[1], BANDS[2])
        _shares(
            connection, found, "price_bands", PRICED + COUNTS.format(group=band, amount="sum(units)", rows="bought")
        )
    _attributes(connection, found)
    return found


def _shares(connection: duckdb.DuckDBPyConnection, found: Facets, name: str, query: str) -> None:
    for user, group, amount in connection.execute(query).fetchall():
        found.setdefault(user, {}).setdefault(name, {})[group] = amount
    for own in found.values():
        if name in own:
            whole = math.fsum(own[name].values())
            own[name] = {group: amount / whole for group, amount in own[name].items()}


def _attributes(connection: duckdb.DuckDBPyConnection, found: Facets) -> None:
    result = connection.execute("select * from users")
    names = [column[0] for column in result.description or ()]
    for row in result.fetchall():
        given = dict(zip(names, row, strict=True))
        own = found.setdefault(given.pop("user_id"), {})
        if known := {name: value for name, value in given.items() if value is not None}:
            own["basics"] = known


def told(row: Mapping[str, Any]) -> dict[str, Any]:
    """The facets of a served row, in the form of `facets`; predicted attributes are left out."""
    habits, spending = row["habits"], row["spending"] or {}
    made = {name: habits[name] for name in ("days_since_last", "events_per_week")}
    made |= {name: spending.get(name) for name in ("total", "quantity", "mean_price")}
    for name in ("hours", "weekdays"):
        made[name] = {place: share for place, share in enumerate(habits[name] or ()) if share}
    lists = (("types", "type", habits), ("price_bands", "band", spending), ("brands", "brand", spending))
    for name, key, facet in lists:
        made[name] = {entry[key]: entry["share"] for entry in facet.get(name) or ()}
    made["basics"] = {basic["name"]: basic["value"] for basic in row["basics"] if basic["probability"] is None}
    return {name: value for name, value in made.items() if value is not None and value != {}}


def differences(rows: Iterable[Mapping[str, Any]], wanted: Facets) -> dict[str, float]:
    """The largest difference of each facet over some served rows.

    Of amounts it is relative where they are above 1, of shares absolute; it is infinite where one side has a facet
    that the other lacks, or where they name other attributes, brands or types.
    """
    largest: dict[str, float] = {}
    for row in rows:
        own, other = told(row), wanted.get(row["user_id"], {})
        for name in own.keys() | other.keys():
            largest[name] = max(largest.get(name, 0.0), _difference(name, own.get(name), other.get(name)))
    return dict(sorted(largest.items()))


def _difference(name: str, made: Any, wanted: Any) -> float:
    if made is None or wanted is None:
        return math.inf
    if name == "basics":
        return 0.0 if made == wanted else math.inf
    if not isinstance(made, dict):
        return float(abs(made - wanted) / max(1.0, abs(wanted)))
    if name == "brands":
        wanted = _largest(made, wanted)
    if made.keys() != wanted.keys():
        return math.inf
    return float(max(abs(made[key] - wanted[key]) for key in made))


def _largest(made: Mapping[str, float], wanted: Mapping[str, float]) -> dict[str, float]:
    """The largest brands; of equal ones those that were shown."""
    order = sorted(wanted, key=lambda name: (-round(wanted[name], 6), name not in made))
    return {name: wanted[name] for name in order[:TOP_BRANDS]}
