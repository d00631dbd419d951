"""A data set without some of its users, items or events: what ingest makes of files that never held them.

No raw file is read. What follows from what goes, goes too, so that the result has the digest of such an ingest: a user
of whom nothing is left, an item of which nothing was known but that an event named it, the places of the events behind
one that went, numbers of users and items, counts, scales, and buckets where there are too many. What a data set does
not hold cannot be taken back: whose the rows were that ingest refused, and whose the exact repeats that it dropped.
Rejects and repeats stay counted, without anybody's id.

Knows data sets and the tables of ingest; knows nothing of what else is made of a data set.
"""

# ruff: noqa: S608 (statements are put together from this package's own names)
from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from engine_runtime.data import earlier, schema, tables
from engine_runtime.data.catalogue import ITEM_CELLS, ITEM_NUMBER
from engine_runtime.data.clean import SHOWN_TYPE, begin_events
from engine_runtime.data.config import kept_config
from engine_runtime.data.database import workspace
from engine_runtime.data.merging import by_user, renumber, without
from engine_runtime.data.people import number_users, without_users
from engine_runtime.data.writing import write

if TYPE_CHECKING:
    import duckdb

    from engine_runtime.artefacts.manifest import Manifest
    from engine_runtime.artefacts.writing import Draft
    from engine_runtime.data.survey import Bools, Request, Survey

QUOTED = "unknown event type '"
"""How a reason begins that quotes a cell of the file."""


def rewrite(found: Survey, draft: Draft, memory: str = "2GB", threads: int | None = None) -> Manifest:
    """Write a data set anew, without what a survey of it found.

    Parameters
    ----------
    found
        Of `survey`; its data set stays as it is.
    draft
        Where the new one goes; sealed when this returns.
    memory, threads
        As in `engine_runtime.data.ingest.ingest`, and so are the errors.
    """
    dataset = found.dataset
    config, n_attributes = kept_config(dataset.config), len(dataset.info.attributes)
    with workspace(draft.path, memory, threads) as con:
        _recall_items(con, found)
        _recall_users(con, found, n_attributes)
        n_events = earlier.sound_events(dataset) - found.n_events
        n_buckets = number_users(con, n_attributes, config.ingest.buckets, n_events)
        tables.collect_rejects(con, {})
        earlier.recall_rejects(con, dataset)
        _drop_quotes(con, found.found)
        info = write(con, config, draft.path, n_attributes, n_buckets, _Rest(con, found, n_buckets))
    return draft.seal(info)


def _recall_items(con: duckdb.DuckDBPyConnection, found: Survey) -> None:
    """Make ``items`` of those that stay."""
    dataset = found.dataset
    numbered = "CREATE TABLE earlier_items AS SELECT CAST(file_row_number AS INTEGER) AS number, *"
    earlier.recall(con, dataset.items, numbered)
    con.register("lost", _numbers(found.items))
    con.execute(
        f"CREATE TABLE items AS SELECT {ITEM_NUMBER}, {ITEM_CELLS}, rankable FROM earlier_items "
        "ANTI JOIN lost USING (number)"
    )
    con.unregister("lost")


def _recall_users(con: duckdb.DuckDBPyConnection, found: Survey, n_attributes: int) -> None:
    """Fill ``user_rows`` with those who stay; what events and lists say of users is in there."""
    begin_events(con)
    without_users(con, n_attributes)
    earlier.recall_users(con, found.dataset)
    con.register("lost", _numbers(found.users))
    con.execute("DELETE FROM user_rows WHERE line IN (SELECT number FROM lost)")
    con.unregister("lost")


def _drop_quotes(con: duckdb.DuckDBPyConnection, found: Request) -> None:
    """Take out rejects that quote an id: with columns shifted one may stand where a type should."""
    ids = sorted(found.users | found.items)
    con.execute(
        "DELETE FROM rejects WHERE EXISTS (SELECT 1 FROM (SELECT unnest($ids::VARCHAR[]) AS id) "
        f"WHERE starts_with(reason, $quoted || left(id, {SHOWN_TYPE}) || ''''))",
        {"ids": ids, "quoted": QUOTED},
    )


class _Rest:
    """Reads a bucket's events, those that stay."""

    def __init__(self, con: duckdb.DuckDBPyConnection, found: Survey, n_buckets: int) -> None:
        self.found = found
        self.users, self.items = earlier.numbers(con, "user"), earlier.numbers(con, "item")
        self.n_buckets = n_buckets
        self.bucket = 0

    def __call__(self, first: int, stop: int) -> pa.Table:
        rest = by_user([self._read(bucket, first, stop) for bucket in self._earlier()])
        self.bucket += 1
        return rest

    def _earlier(self) -> range:
        """Buckets of before whose users may be in the next one: their number is a power of two, or given and equal."""
        before = self.found.dataset.info.n_buckets
        if self.n_buckets >= before:
            return range(self.bucket % before, before, before)
        return range(self.bucket, before, self.n_buckets)

    def _read(self, bucket: int, first: int, stop: int) -> pa.Table:
        events = earlier.read_placed(self.found.dataset, bucket)
        rest = renumber(without(events, self.found.lost(events)), self.users, self.items)
        users = rest[schema.USER].to_numpy()
        elsewhere = (users < first) | (users >= stop)
        return rest.filter(pa.array(~elsewhere)).combine_chunks() if elsewhere.any() else rest


def _numbers(mask: Bools) -> pa.Table:
    return pa.table({"number": pa.array(np.flatnonzero(mask), pa.int64())})
