"""A data set brought back into the database, so that later rows join it as if all had been read together.

Items, users and rejects become rows of the tables that ingest makes; events stay in their files, which are read one
bucket at a time. Knows a data set's files and the tables of ingest.
"""

# ruff: noqa: S608 (statements are put together from this package's own names and from quoted literals)
from __future__ import annotations

from typing import TYPE_CHECKING

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from engine_runtime.data import schema
from engine_runtime.data.database import first_line, literal, scalar
from engine_runtime.data.merging import renumber
from engine_runtime.data.stored import read_events, reading
from engine_runtime.data.tables import UNKNOWN_ITEM
from engine_runtime.errors import ArtefactError

if TYPE_CHECKING:
    from pathlib import Path

    from engine_runtime.artefacts.dataset import Dataset

Numbers = npt.NDArray[np.int32]
BEFORE = -1
"""``file`` of a row that a data set brings: it stands before those of all files."""


def recall_items(con: duckdb.DuckDBPyConnection, dataset: Dataset, *, described: bool) -> None:
    """Add the data set's items to ``item_rows``, before the rows of all files.

    Parameters
    ----------
    con
        With the table ``item_rows``.
    dataset
        Whose items.
    described
        Whether a row that is there takes the place of an item of which nothing is known: one that was in no file.
    """
    recall(con, dataset.items, "CREATE TABLE earlier_items AS SELECT CAST(file_row_number AS INTEGER) AS number, *")
    unknown = "text = '' AND coalesce(title, brand, category) IS NULL AND price IS NULL"
    kept = f"NOT ({unknown} AND item_id IN (SELECT item_id FROM item_rows WHERE reason IS NULL))"
    con.execute(
        "INSERT INTO item_rows (file, line, item_id, text, title, brand, category, price) "
        f"SELECT {BEFORE}, number, item_id, text, title, brand, category, price FROM earlier_items "
        f"WHERE {kept if described else 'true'}"
    )


def recall_users(con: duckdb.DuckDBPyConnection, dataset: Dataset) -> None:
    """Add the data set's users to ``user_rows``, but those that have a sound row there: it replaces the earlier one."""
    recall(con, dataset.users, "CREATE TABLE earlier_users AS SELECT CAST(file_row_number AS INTEGER) AS number, *")
    names = dataset.info.attributes
    columns = "".join(f", a{number}" for number in range(len(names)))
    cells = "".join(", " + '"{}"'.format(name.replace('"', '""')) for name in names)
    con.execute(
        f"INSERT INTO user_rows (file, line, user_id{columns}) SELECT {BEFORE}, number, user_id{cells} "
        "FROM earlier_users ANTI JOIN (SELECT user_id FROM user_rows WHERE reason IS NULL) USING (user_id)"
    )


def recall_rejects(con: duckdb.DuckDBPyConnection, dataset: Dataset) -> None:
    """Add the data set's rejects and its count of repeats."""
    recall(con, dataset.rejects, "INSERT INTO rejects SELECT file, line, reason")
    con.execute(f"INSERT INTO duplicates VALUES ({dataset.info.n_duplicates})")


def sound_events(dataset: Dataset) -> int:
    """Events that were read as sound, those of unknown items included: what the number of buckets hangs on."""
    unknown = 0
    with reading(dataset.rejects), pq.ParquetFile(dataset.rejects) as rejects:
        for batch in rejects.iter_batches(columns=[schema.REASON]):
            unknown += pc.sum(pc.equal(batch.column(0), UNKNOWN_ITEM)).as_py() or 0
    return dataset.info.n_events + unknown


def drop_repeats(con: duckdb.DuckDBPyConnection, dataset: Dataset) -> None:
    """Take out of ``parsed`` the exact repeats of the data set's events, and count them."""
    con.execute("""
        CREATE TABLE candidates AS
        SELECT parsed.rowid AS row, earlier_users.number AS user, earlier_items.number AS item, type, time, ordinal
        FROM parsed JOIN earlier_users USING (user_id) JOIN earlier_items USING (item_id) WHERE reason IS NULL
    """)
    con.execute("CREATE TABLE repeats (row BIGINT)")
    for bucket in range(dataset.info.n_buckets if scalar(con, "SELECT count(*) FROM candidates") else 0):
        con.register("held", read_placed(dataset, bucket))
        con.execute(
            "INSERT INTO repeats SELECT row FROM candidates SEMI JOIN held ON candidates.user = held.user AND "
            "candidates.item = held.item AND candidates.type = held.type AND candidates.time = held.time AND "
            "candidates.ordinal IS NOT DISTINCT FROM held.ordinal"
        )
        con.unregister("held")
    con.execute("DELETE FROM parsed WHERE rowid IN (SELECT row FROM repeats)")
    con.execute("INSERT INTO duplicates SELECT count(*) FROM repeats")


def read_placed(dataset: Dataset, bucket: int) -> pa.Table:
    """Events of a bucket, of schema `PLACED`."""
    events = read_events(dataset, bucket)
    orders = dataset.orders(bucket)
    with reading(orders):
        ordinals = pq.read_table(orders)[schema.ORDINAL] if orders.exists() else events[schema.TIME]
    return events.append_column(schema.PLACED.field(schema.ORDINAL), ordinals).combine_chunks()


def recall(con: duckdb.DuckDBPyConnection, path: Path, statement: str) -> None:
    """Run a statement that takes its rows from a file of the data set; raises `ArtefactError` where that is damaged."""
    try:
        con.execute(f"{statement} FROM read_parquet({literal(str(path))}, file_row_number = true)")
    except (duckdb.OutOfMemoryException, duckdb.IOException):  # what the machine lacks
        raise
    except duckdb.Error as error:
        raise ArtefactError(f"{path} cannot be read: {first_line(error)}. Ingest the data again.") from error


class Earlier:
    """A data set's events, in the numbers of the tables ``users`` and ``items``.

    With `whole` the buckets hold the users that they held before.
    """

    def __init__(self, con: duckdb.DuckDBPyConnection, dataset: Dataset, *, whole: bool) -> None:
        self.dataset = dataset
        self.users = numbers(con, "user")
        self.items = numbers(con, "item")
        self.whole = whole

    def read(self, bucket: int, first: int, stop: int) -> pa.Table:
        """Events of the users `first` to `stop` - 1, who are all in one `bucket` of the data set."""
        events = renumber(read_placed(self.dataset, bucket), self.users, self.items)
        if self.whole:
            return events
        users = events[schema.USER]
        return events.filter(pc.and_(pc.greater_equal(users, first), pc.less(users, stop))).combine_chunks()


def numbers(con: duckdb.DuckDBPyConnection, what: str) -> Numbers:
    """New number of each earlier user or item, -1 where it is gone: int32, by the number of before."""
    query = f"""
        SELECT coalesce({what}s.{what}, -1) AS number FROM earlier_{what}s LEFT JOIN {what}s USING ({what}_id)
        ORDER BY earlier_{what}s.number
    """
    return np.ascontiguousarray(con.execute(query).fetchnumpy()["number"], np.int32)
