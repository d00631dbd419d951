"""Spending against a query of the same events in DuckDB."""

from __future__ import annotations

from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pytest

from engine_runtime.data.histories import Histories, histories_from
from engine_runtime.data.schema import ITEMS
from engine_runtime.profile.spending import TYPE, Market, market, spending

N_ITEMS = 20
BRANDS = [None, "Ada", "Bell", "Cray", "Dean", "Eve", "Finn"]
TOTALS = """
select user, sum(price * coalesce(quantity, 1)) as total, sum(coalesce(quantity, 1)) as quantity,
    sum(price * coalesce(quantity, 1)) filter (coalesce(quantity, 1) > 0)
        / sum(coalesce(quantity, 1)) filter (coalesce(quantity, 1) > 0) as mean_price
from events where price is not null group by user
"""
SHARES = """
with bought as (
    select *, coalesce(quantity, 1) as units from events where price is not null and coalesce(quantity, 1) > 0
), groups as (
    {groups}
)
select user, name, amount / sum(amount) over (partition by user) as share from groups
where amount > 0
"""
BANDS = """select user, case when price < {low} then 'low' when price < {high} then 'middle' else 'high' end as name,
    sum(units) as amount from bought group by all"""
BY_BRAND = "select user, brand as name, sum(price * units) as amount from bought where brand is not null group by all"


def catalogue(prices: list[float | None], brands: list[str | None]) -> pa.Table:
    """A catalogue of these prices and brands."""
    count = len(prices)
    columns = [[f"i{n}" for n in range(count)], ["text"] * count, [None] * count, brands, [None] * count, prices]
    columns += [[True] * count, [1] * count]
    return pa.table([pa.array(column, field.type) for column, field in zip(columns, ITEMS, strict=True)], schema=ITEMS)


def shop() -> pa.Table:
    """Items of seven brands or none."""
    prices = [None if n % 6 == 0 else 1.0 + n for n in range(N_ITEMS)]
    return catalogue(prices, [BRANDS[n % len(BRANDS)] for n in range(N_ITEMS)])


def some_histories(n_items: int = N_ITEMS) -> Histories:
    """Thirty users who look, buy and return; two who only look, one who only returns."""
    generator = np.random.default_rng(0)
    items, prices, quantities = [], [], []
    for user in range(30):
        size = user % 13
        items.append(generator.integers(0, n_items, size=size).tolist())
        own = np.round(generator.random(size) * 25, 2)
        own[generator.random(size) < (1.0 if user in (3, 4) else 0.3)] = np.nan
        prices.append(own.tolist())
        units = generator.integers(-2, 5, size=size).astype(float)
        units[generator.random(size) < 0.3] = np.nan
        quantities.append([-1.0] * size if user == 5 else units.tolist())
    return histories_from(items, prices=prices, quantities=quantities)


def table_of(histories: Histories, brands: list[str | None]) -> pa.Table:
    """Events with brands, for a query."""
    known = [brands[item] if item < len(brands) else None for item in histories.items.tolist()]
    wide = {"price": histories.prices, "quantity": histories.quantities}
    columns = {name: pa.array(values.astype(np.float64), from_pandas=True) for name, values in wide.items()}
    return pa.table({"user": histories.rows, "brand": pa.array(known, pa.string()), **columns})


def asked(events: pa.Table, query: str) -> list[dict[str, Any]]:
    """Rows of a query."""
    with duckdb.connect() as connection:
        connection.register("events", events)
        result = connection.execute(query)
        names = [column[0] for column in result.description or ()]
        return [dict(zip(names, row, strict=True)) for row in result.fetchall()]


def per_user(rows: list[dict[str, Any]]) -> dict[int, dict[str, float]]:
    """Shares by user and name."""
    found: dict[int, dict[str, float]] = {}
    for row in rows:
        found.setdefault(row["user"], {})[row["name"]] = row["share"]
    return found


def test_spending_is_that_of_a_query() -> None:
    """Totals, mean price, bands and brands are what DuckDB counts, items unknown to the catalogue included."""
    histories, items = some_histories(N_ITEMS + 5), shop()
    against = market(items)
    assert against.edges is not None
    made = spending(histories, against)
    assert made.type == TYPE
    events = table_of(histories, items["brand"].to_pylist())
    totals = {row["user"]: row for row in asked(events, TOTALS)}
    low, high = against.edges
    bands = per_user(asked(events, SHARES.format(groups=BANDS.format(low=low, high=high))))
    brands = per_user(asked(events, SHARES.format(groups=BY_BRAND)))
    for user, row in enumerate(made.to_pylist()):
        if user not in totals:
            assert row is None
            continue
        assert row["total"] == pytest.approx(totals[user]["total"], abs=1e-4)
        assert row["quantity"] == pytest.approx(totals[user]["quantity"])
        mean = totals[user]["mean_price"]
        assert row["mean_price"] == (mean and pytest.approx(mean, rel=1e-5))
        assert {band["band"]: band["share"] for band in row["price_bands"]} == pytest.approx(
            bands.get(user, {}), rel=1e-5
        )
        shown = {brand["brand"]: brand["share"] for brand in row["brands"]}
        wanted = brands.get(user, {})
        assert len(shown) == min(len(wanted), 5)
        assert shown == pytest.approx({name: wanted[name] for name in shown}, rel=1e-5)
        assert min(shown.values(), default=1) >= max((wanted[name] for name in wanted if name not in shown), default=0)
    assert made.to_pylist()[5]["mean_price"] is None
    assert made.to_pylist()[3] is None


def test_bands_are_thirds_of_the_catalogue() -> None:
    """Edges are the quantiles of the known prices; brands are numbered, and -1 where there is none."""
    found = market(catalogue([1.0, 2.0, None, 3.0, 4.0], ["b", None, "a", "b", None]))
    assert found.edges is not None
    assert found.edges.tolist() == pytest.approx([2.0, 3.0])
    assert [None if n < 0 else found.brands[n] for n in found.item_brands.tolist()] == ["b", None, "a", "b", None]


def test_a_catalogue_without_prices_or_brands() -> None:
    """Without prices there are no bands, without brands none, and the totals stay."""
    for items in (catalogue([None, None], [None, None]), catalogue([], [])):
        against = market(items)
        assert against.edges is None
        row = spending(histories_from([[1], []], prices=[[2.5], []], quantities=[[4.0], []]), against).to_pylist()
        assert row == [
            {"total": 10.0, "quantity": 4.0, "mean_price": 2.5, "price_bands": [], "brands": []},
            None,
        ]


def test_free_goods_have_no_brand_shares() -> None:
    """A total of 0 divides nothing by 0."""
    against = Market(np.array([1.0, 2.0]), ["Ada"], np.zeros(1, np.int64))
    row = spending(histories_from([[0, 0]], prices=[[0.0, 0.0]]), against).to_pylist()[0]
    assert (row["total"], row["mean_price"], row["brands"]) == (0.0, 0.0, [])
    assert row["price_bands"] == [{"band": "low", "share": 1.0}]


def test_a_price_on_an_edge_is_of_the_upper_band() -> None:
    """Bands are closed below."""
    against = Market(np.array([1.0, 2.0]), [], np.full(1, -1))
    rows = spending(histories_from([[0], [0], [0]], prices=[[0.5], [1.0], [2.0]]), against).to_pylist()
    assert [row["price_bands"][0]["band"] for row in rows] == ["low", "middle", "high"]


def test_nobody() -> None:
    """Of nobody comes nothing."""
    assert spending(histories_from([]), market(shop())).to_pylist() == []
