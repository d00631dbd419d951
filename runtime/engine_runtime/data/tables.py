"""From the numbered tables in DuckDB to the data set's files, sorted and written the same way every time.

Knows the layout of the files; knows nothing of where the rows came from.
"""

# ruff: noqa: S608 (statements are put together from this package's own names and from quoted literals)
from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from engine_runtime.artefacts.dataset import ITEMS_FILE, REJECTS_FILE, USERS_FILE
from engine_runtime.data import schema
from engine_runtime.data.database import literal, scalar

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import duckdb

ITEM_ROWS = 16_384
REJECT_ROWS = 1_048_576
UNKNOWN_ITEM = "item is in no item file"

Counts = npt.NDArray[np.int64]


def collect_rejects(con: duckdb.DuckDBPyConnection, names: Mapping[str, Sequence[str]]) -> None:
    """Make the table ``rejects`` from the reasons in the tables that `names` has file names for."""
    con.execute("CREATE TABLE rejects (file VARCHAR, line BIGINT, reason VARCHAR)")
    for table, files in names.items():
        listed = "list_extract(CAST([" + ", ".join(map(literal, files)) + "] AS VARCHAR[]), file + 1)"
        con.execute(f"INSERT INTO rejects SELECT {listed}, line, reason FROM {table} WHERE reason IS NOT NULL")
        if table == "parsed":
            con.execute(
                f"INSERT INTO rejects SELECT {listed}, line, '{UNKNOWN_ITEM}' FROM parsed "
                "ANTI JOIN items USING (item_id) WHERE reason IS NULL"
            )


def bucket_users(con: duckdb.DuckDBPyConnection, n_buckets: int) -> tuple[int, ...]:
    """First user of each bucket, and the number of users at the end."""
    found = dict(con.execute("SELECT bucket, count(*) FROM users GROUP BY bucket").fetchall())
    firsts = [0]
    for bucket in range(n_buckets):
        firsts.append(firsts[-1] + found.get(bucket, 0))
    return tuple(firsts)


def number_events(con: duckdb.DuckDBPyConnection) -> None:
    """Make the table ``events``: sound ones with the numbers of user and item, roughly sorted by user."""
    con.execute(
        "CREATE TABLE events AS SELECT user, item, type, value, quantity, parsed.price, time, ordinal, "
        "parsed.file, parsed.line "
        "FROM parsed JOIN items USING (item_id) JOIN users USING (user_id) WHERE reason IS NULL ORDER BY user"
    )
    con.execute("DROP TABLE parsed")


def read_events(con: duckdb.DuckDBPyConnection, first: int, stop: int) -> pa.Table:
    """Events of the users `first` to `stop` - 1, of schema `engine_runtime.data.schema.PLACED`."""
    # events of one order or time stay as the files have them: by file, then by line
    query = f"""
        SELECT user, item, type, value, quantity, price, time,
            CASE WHEN ordinal IS NULL THEN {schema.UNORDERED}
                ELSE CAST(row_number() OVER placed - 1 AS INTEGER) END AS position,
            ordinal
        FROM events WHERE user >= {int(first)} AND user < {int(stop)}
        WINDOW placed AS (PARTITION BY user, ordinal IS NULL ORDER BY ordinal, file, line)
        ORDER BY user, position, file, line
    """
    return _table(con, query, schema.PLACED)


def write_items(con: duckdb.DuckDBPyConnection, root: Path, counts: Counts) -> None:
    """Write the catalogue; `counts`, int64 [items], are the events of each."""
    con.register("item_counts", _numbered("item", counts))
    total = scalar(con, "SELECT count(*) FROM items")
    with pq.ParquetWriter(root / ITEMS_FILE, schema.ITEMS, compression="zstd") as writer:
        for start in range(0, total, ITEM_ROWS):
            query = f"""
                SELECT item_id, text, title, brand, category, price, rankable, n AS n_events
                FROM items JOIN item_counts USING (item)
                WHERE item >= {start} AND item < {start + ITEM_ROWS} ORDER BY item
            """
            writer.write_table(_table(con, query, schema.ITEMS))


def write_users(
    con: duckdb.DuckDBPyConnection, root: Path, firsts: Sequence[int], attributes: Sequence[str], counts: Counts
) -> None:
    """Write the users, a row group for each bucket that has any; `counts`, int64 [users], are the events of each."""
    con.register("user_counts", _numbered("user", counts))
    layout = pa.schema([*schema.USERS, *(pa.field(name, pa.string()) for name in attributes)])
    cells = "".join(f", a{number}" for number in range(len(attributes)))
    with pq.ParquetWriter(root / USERS_FILE, layout, compression="zstd") as writer:
        for first, stop in itertools.pairwise(firsts):
            query = f"""
                SELECT user_id, n AS n_events{cells}
                FROM users JOIN user_counts USING (user)
                WHERE user >= {int(first)} AND user < {int(stop)} ORDER BY user
            """
            writer.write_table(_table(con, query, layout), row_group_size=max(stop - first, 1))


def write_rejects(con: duckdb.DuckDBPyConnection, root: Path) -> None:
    """Write the rejects, sorted by file, line and reason."""
    con.execute(
        "CREATE TABLE numbered AS SELECT row_number() OVER (ORDER BY file, line, reason) - 1 AS place, * FROM rejects"
    )
    total = scalar(con, "SELECT count(*) FROM numbered")
    with pq.ParquetWriter(root / REJECTS_FILE, schema.REJECTS, compression="zstd") as writer:
        for start in range(0, total, REJECT_ROWS):
            query = f"""
                SELECT file, line, reason FROM numbered
                WHERE place >= {start} AND place < {start + REJECT_ROWS} ORDER BY place
            """
            writer.write_table(_table(con, query, schema.REJECTS))


def counts(con: duckdb.DuckDBPyConnection) -> dict[str, Any]:
    """Return what a `DatasetInfo` says of users, items and rows that were not taken."""
    return {
        "n_users": scalar(con, "SELECT count(*) FROM users"),
        "n_items": scalar(con, "SELECT count(*) FROM items"),
        "n_items_without_text": scalar(con, "SELECT count(*) FROM items WHERE text = ''"),
        "n_rejects": scalar(con, "SELECT count(*) FROM rejects"),
        "n_duplicates": scalar(con, "SELECT coalesce(sum(n), 0) FROM duplicates"),
    }


def _numbered(name: str, counts: Counts) -> pa.Table:
    return pa.table({name: pa.array(np.arange(len(counts), dtype=np.int32)), "n": pa.array(counts)})


def _table(con: duckdb.DuckDBPyConnection, query: str, layout: pa.Schema) -> pa.Table:
    """Return the result of `query`, whose columns are those of `layout` in order.

    Each column is one piece, so that it is written the same way however it was computed.
    """
    return con.sql(query).to_arrow_table().rename_columns(layout.names).combine_chunks().cast(layout)
