"""What of a request to forget a data set holds, and what goes with it.

What follows from what goes, goes too: a user of whom nothing is left, an item of which nothing was known but that an
event named it. Knows data sets; knows nothing of how one is written anew.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from engine_runtime.data import schema
from engine_runtime.data.config import kept_config
from engine_runtime.data.stored import read_catalogue, read_users, reading

if TYPE_CHECKING:
    from engine_runtime.artefacts.dataset import Dataset

Bools = npt.NDArray[np.bool_]
Triple = tuple[int, ...]
"""Numbers of user and item, and the time."""
KEY = [schema.USER, schema.ITEM, schema.TIME]


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


def _keys(dataset: Dataset, bucket: int) -> pa.Table:
    path = dataset.bucket(bucket)
    with reading(path):
        return pq.read_table(path, columns=KEY).combine_chunks()


def _among(ids: pa.ChunkedArray, wanted: frozenset[str]) -> Bools:
    """Which of `ids` are wanted: bool [ids]."""
    found: Bools = pc.is_in(ids, pa.array(sorted(wanted), pa.string())).to_numpy()
    return found.copy()


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
