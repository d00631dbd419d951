"""Items: from staged cells to the numbered table ``items``.

Knows what an item is made of; knows nothing of files or events. Items are described in Python, a few thousand
at a time: they are few beside events, and a template is no matter for SQL.
"""

# ruff: noqa: S608 (statements are put together from this package's own names and from quoted literals)
from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import duckdb
import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from engine_runtime.data import schema
from engine_runtime.data.database import scalar
from engine_runtime.data.template import category_text, cell_text, fill, template_fields
from engine_runtime.errors import InputError, UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from engine_runtime.data.config import ItemsConfig

CHUNK = 2048
DESCRIBED = pa.schema(
    [
        pa.field("file", pa.int32()),
        pa.field("line", pa.int64()),
        pa.field("reason", pa.string()),
        pa.field("item_id", pa.string()),
        pa.field("text", pa.string()),
        pa.field("title", pa.string()),
        pa.field("brand", pa.string()),
        pa.field("category", pa.string()),
        pa.field("price", pa.float32()),
    ]
)
"""A row of an item file, described; `reason` is null where it is sound."""
ITEM_NUMBER = "CAST(row_number() OVER (ORDER BY item_id) - 1 AS INTEGER) AS item"
ITEM_CELLS = "item_id, text, title, brand, category, price"


def item_columns(items: ItemsConfig) -> dict[str, str]:
    """Columns of the item files that are needed, each under a role of its own: ``c0``, ``c1``, ..."""
    named = [items.id, *template_fields(items.text), items.title, items.brand, items.category, items.price]
    distinct = dict.fromkeys(name for name in named if name is not None)
    return {f"c{number}": name for number, name in enumerate(distinct)}


def describe_items(con: duckdb.DuckDBPyConnection, config: ItemsConfig) -> None:
    """Make the table ``item_rows`` (of `DESCRIBED`) from the staged table ``item_cells``, and drop that."""
    columns = item_columns(config)
    con.register("described", DESCRIBED.empty_table())
    con.execute("CREATE TABLE item_rows AS SELECT * FROM described")
    con.unregister("described")
    total = scalar(con, "SELECT count(*) FROM item_cells")
    for start in range(0, total, CHUNK):
        query = f"SELECT * FROM item_cells WHERE rowid >= {start} AND rowid < {start + CHUNK}"
        rows = con.sql(query).to_arrow_table().rename_columns(["file", "line", "problem", *columns.values()])
        described = [describe(row, config) for row in rows.to_pylist()]
        con.register("described", pa.Table.from_pylist(described, DESCRIBED))
        con.execute("INSERT INTO item_rows SELECT * FROM described")
        con.unregister("described")
    con.execute("DROP TABLE item_cells")


def describe(row: Mapping[str, Any], config: ItemsConfig) -> dict[str, Any]:
    """Describe one item.

    Parameters
    ----------
    row
        ``file``, ``line``, ``problem``, and each column's cell as JSON.
    config
        Says which column is what.

    Returns
    -------
    dict
        A row of `DESCRIBED`. A price that is no number is left out: the item is of use without it.
    """
    cells = {name: _decode(cell) for name, cell in row.items() if name not in ("file", "line", "problem")}
    texts = {name: cell_text(cell) for name, cell in cells.items()}
    item_id = texts[config.id]
    reason = row["problem"]
    if reason is None and not item_id:
        reason = "item id is missing"
    elif reason is None and "\ufffd" in item_id:
        reason = "item id holds bytes that are no text"
    return {
        "file": row["file"],
        "line": row["line"],
        "reason": reason,
        "item_id": item_id,
        "text": fill(config.text, texts),
        "title": texts[config.title] or None if config.title else None,
        "brand": texts[config.brand] or None if config.brand else None,
        "category": category_text(cells[config.category]) or None if config.category else None,
        "price": _price(texts[config.price]) if config.price else None,
    }


def _decode(cell: str | None) -> Any:
    if cell is None:
        return None
    try:
        return msgspec.json.decode(cell)
    except msgspec.DecodeError:
        return None  # NaN, which is no JSON


def _price(text: str) -> float | None:
    try:
        price = float(text)
    except ValueError:
        return None
    return price if math.isfinite(price) and abs(price) < 3e38 else None


def number_items(con: duckdb.DuckDBPyConnection, config: ItemsConfig) -> None:
    """Make the table ``items`` from ``item_rows``: the first row of each id, numbered by id.

    Later rows of an id get a reason. Where the configuration keeps missing items, those of ``parsed`` are
    added.

    Raises
    ------
    UsageError
        `not_ranked` is no regular expression that DuckDB knows.
    """
    con.execute("""
        CREATE TABLE first_rows AS
        SELECT item_id, min((file, line)) AS place FROM item_rows WHERE reason IS NULL GROUP BY item_id
    """)
    con.execute("""
        UPDATE item_rows SET reason = 'item id was given before' FROM first_rows
        WHERE item_rows.item_id = first_rows.item_id AND reason IS NULL
            AND (item_rows.file, item_rows.line) != place
    """)
    if config.missing == "keep":
        con.execute("""
            INSERT INTO item_rows (item_id, text)
            SELECT DISTINCT item_id, '' FROM parsed ANTI JOIN first_rows USING (item_id) WHERE reason IS NULL
        """)
    ranked = "NOT coalesce(regexp_full_match(item_id, $pattern), false)"
    statement = f"""
        CREATE TABLE items AS
        SELECT {ITEM_NUMBER}, {ITEM_CELLS}, {ranked} AS rankable FROM item_rows WHERE reason IS NULL
    """
    try:
        con.execute(statement, {"pattern": config.not_ranked})
    except duckdb.InvalidInputException as error:
        raise UsageError(f"[items] not_ranked '{config.not_ranked}' cannot be used: {error}") from error


def load_catalogue(con: duckdb.DuckDBPyConnection, path: Path) -> None:
    """Make the table ``items`` from a catalogue of schema `ITEMS`, whose numbering stands.

    Raises
    ------
    InputError
        There is no such catalogue.
    """
    try:
        found = pq.read_schema(path)
    except (OSError, pa.ArrowException) as error:
        raise InputError(
            f"the catalogue {path} cannot be read: {error}. Name the items.parquet of an index."
        ) from error
    if found.names != schema.ITEMS.names:
        raise InputError(f"{path} is no catalogue: its columns are {', '.join(found.names)}.")
    con.execute(
        f"CREATE TABLE items AS SELECT {ITEM_NUMBER}, {ITEM_CELLS}, rankable FROM read_parquet($path)",
        {"path": str(path)},
    )
    con.execute("CREATE TABLE item_rows (file INTEGER, line BIGINT, reason VARCHAR)")
