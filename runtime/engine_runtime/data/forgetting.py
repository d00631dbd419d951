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

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from engine_runtime.data import earlier, schema, tables
from engine_runtime.data.catalogue import ITEM_CELLS, ITEM_NUMBER
from engine_runtime.data.clean import SHOWN_TYPE, begin_events
from engine_runtime.data.config import kept_config
from engine_runtime.data.merging import by_user, renumber, without
from engine_runtime.data.people import number_users, without_users
from engine_runtime.data.staging import workspace
from engine_runtime.data.stored import read_catalogue, read_users, reading
from engine_runtime.data.writing import write

if TYPE_CHECKING:
    import duckdb

    from engine_runtime.artefacts.dataset import Dataset
    from engine_runtime.artefacts.manifest import Manifest
    from engine_runtime.artefacts.writing import Draft

Bools = npt.NDArray[np.bool_]
Triple = tuple[int, ...]
"""Numbers of user and item, and the time."""
KEY = [schema.USER, schema.ITEM, schema.TIME]
QUOTED = "unknown event type '"
"""How a reason begins that quotes a cell of the file."""


@dataclass(frozen=True)
class Event:
    """An event as its owner knows it; `time` in seconds since 1970, -1 where it has none. Of any type."""

    user: str
    item: str
    time: int


@dataclass(frozen=True)
class Request:
    """What is to be forgotten."""

    users: frozenset[str] = frozenset()
    items: frozenset[str] = frozenset()
    events: frozenset[Event] = frozenset()

    @property
    def lines(self) -> list[str]:
        """The request as `engine_runtime.artefacts.receipt.request_digest` reads it."""
        events = (f"event {event.user}\t{event.item}\t{event.time}" for event in self.events)
        return [*(f"user {user}" for user in self.users), *(f"item {item}" for item in self.items), *events]


@dataclass(frozen=True)
class Survey:
    """What of a request a data set holds, and what goes with it.

    Attributes
    ----------
    dataset
        Looked at.
    found
        The part of the request that is there.
    users, items
        bool [users], bool [items]: who and what leaves.
    stale
        Ids of users who leave or whose history changes: what was served of them before is not to be kept.
    events
        Numbers of user, item and time of the events of `found`.
    n_events
        Events that go.
    """

    dataset: Dataset
    found: Request
    users: Bools
    items: Bools
    stale: frozenset[str]
    events: frozenset[Triple]
    n_events: int

    @property
    def anything(self) -> bool:
        """Whether the data set has to be written anew."""
        return bool(self.found.users or self.found.items or self.found.events)

    def lost(self, events: pa.Table) -> Bools:
        """Which of a bucket's events go: bool [events]."""
        users, items = (events[name].to_numpy() for name in (schema.USER, schema.ITEM))
        lost: Bools = self.users[users] | self.items[items]
        if self.events:
            _add_events(lost, events, self.events)
        return lost


def survey(dataset: Dataset, request: Request) -> Survey:
    """Look up what a data set holds of a request; reads users, catalogue and the keys of all events.

    Raises
    ------
    ArtefactError
        A file of the data set cannot be read, or an earlier version made it.
    """
    people, catalogue = read_users(dataset), read_catalogue(dataset.items)
    user_ids, item_ids = people[schema.USER_ID], catalogue[schema.ITEM_ID]
    users, items = _among(user_ids, request.users), _among(item_ids, request.items)
    events = _numbered(request.events, user_ids, item_ids)
    before, after = np.zeros(len(users), np.int64), np.zeros(len(users), np.int64)
    named, kept = np.zeros(len(items), np.int64), np.zeros(len(items), np.int64)
    plain = Survey(dataset, request, users, items, frozenset(), frozenset(events), 0)
    matched: set[Triple] = set()
    for bucket in range(dataset.info.n_buckets):
        keys = _keys(dataset, bucket)
        lost = plain.lost(keys)
        if events:
            matched |= _triples(keys.filter(pa.array(lost))) & events.keys()
        user, item = keys[schema.USER].to_numpy(), keys[schema.ITEM].to_numpy()
        before += np.bincount(user, minlength=len(users))
        after += np.bincount(user[~lost], minlength=len(users))
        named += np.bincount(item, minlength=len(items))
        kept += np.bincount(item[~lost], minlength=len(items))
    changed = before != after
    leaving = users | (changed & (after == 0) & ~_described(people, dataset.info.attributes))
    found = Request(
        frozenset(user_ids.filter(pa.array(users)).to_pylist()),
        frozenset(item_ids.filter(pa.array(items)).to_pylist()),
        frozenset(events[triple] for triple in matched),
    )
    return Survey(
        dataset=dataset,
        found=found,
        users=leaving,
        items=items | ((named > 0) & (kept == 0) & _only_named(dataset, catalogue)),
        stale=frozenset(user_ids.filter(pa.array(leaving | changed)).to_pylist()),
        events=frozenset(matched),
        n_events=int((before - after).sum()),
    )


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


def _keys(dataset: Dataset, bucket: int) -> pa.Table:
    path = dataset.bucket(bucket)
    with reading(path):
        return pq.read_table(path, columns=KEY).combine_chunks()


def _among(ids: pa.ChunkedArray, wanted: frozenset[str]) -> Bools:
    """Which of `ids` are wanted: bool [ids]."""
    found: Bools = pc.is_in(ids, pa.array(sorted(wanted), pa.string())).to_numpy()
    return found.copy()


def _numbers(mask: Bools) -> pa.Table:
    return pa.table({"number": pa.array(np.flatnonzero(mask), pa.int64())})


def _numbered(events: frozenset[Event], users: pa.ChunkedArray, items: pa.ChunkedArray) -> dict[Triple, Event]:
    """The events whose user and item are known, by their numbers and the time."""
    if not events:
        return {}
    ordered = list(events)
    rows = pc.index_in(pa.array([event.user for event in ordered]), users.combine_chunks()).to_pylist()
    columns = pc.index_in(pa.array([event.item for event in ordered]), items.combine_chunks()).to_pylist()
    return {
        (user, item, event.time): event
        for user, item, event in zip(rows, columns, ordered, strict=True)
        if user is not None and item is not None
    }


def _triples(events: pa.Table) -> set[Triple]:
    return set(zip(*(events[name].to_pylist() for name in KEY), strict=True))


def _add_events(lost: Bools, events: pa.Table, wanted: frozenset[Triple]) -> None:
    """Mark single events in `lost`; only those of the right users are looked at one by one."""
    users = pa.array(sorted({user for user, _, _ in wanted}), pa.int32())
    rows = np.flatnonzero(pc.is_in(events[schema.USER], users).to_numpy())
    some = events.select(KEY).take(pa.array(rows))
    triples = zip(*(some[name].to_pylist() for name in KEY), strict=True)
    lost[rows] |= np.fromiter((triple in wanted for triple in triples), np.bool_, len(rows))


def _described(people: pa.Table, attributes: tuple[str, ...]) -> Bools:
    """Of which users an attribute is known, so that they were in a file of users: bool [users]."""
    described = np.zeros(len(people), np.bool_)
    for name in attributes:
        described |= people[name].is_valid().to_numpy()
    return described


def _only_named(dataset: Dataset, catalogue: pa.Table) -> Bools:
    """Of which items nothing is known but that events name them: bool [items]."""
    config = kept_config(dataset.config)
    if config.items is None or config.items.missing != "keep":
        return np.zeros(len(catalogue), np.bool_)
    known = (schema.TITLE, schema.BRAND, schema.CATEGORY, schema.PRICE)
    bare: Bools = pc.equal(catalogue[schema.TEXT], "").to_numpy()
    for name in known:
        bare = np.logical_and(bare, catalogue[name].is_null().to_numpy())
    return bare
