"""Users' histories as ragged arrays, read from a data set or built in memory, and cut into a model's inputs.

Everything is vectorised over users. Knows the columns of a bucket; knows nothing of models or of how a data
set is made.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, fields
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from engine_runtime.data import schema
from engine_runtime.data.scaling import scaled
from engine_runtime.errors import ArtefactError, InputError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from engine_runtime.artefacts.dataset import Dataset, Scale

Ints = npt.NDArray[np.int64]
PER_EVENT = ("items", "types", "values", "quantities", "prices", "times", "ordered")


@dataclass(frozen=True)
class Histories:
    """Histories of some users: user u's events are rows ``offsets[u] .. offsets[u + 1] - 1``, oldest first.

    Events whose place is not known come before a user's others and have ``ordered`` False.

    Attributes
    ----------
    users
        int32 [U], user numbers.
    offsets
        int64 [U + 1]; a user without events has two equal ones.
    items
        int32 [N], item numbers.
    types
        int8 [N], indices into the event types.
    values, quantities, prices
        float32 [N], as given; NaN where absent.
    times
        int64 [N], seconds since 1970 in UTC, or `schema.NO_TIME`.
    ordered
        bool [N], whether the place in the history is known.
    """

    users: npt.NDArray[np.int32]
    offsets: Ints
    items: npt.NDArray[np.int32]
    types: npt.NDArray[np.int8]
    values: npt.NDArray[np.float32]
    quantities: npt.NDArray[np.float32]
    prices: npt.NDArray[np.float32]
    times: Ints
    ordered: npt.NDArray[np.bool_]

    def __len__(self) -> int:
        """Return the number of users."""
        return len(self.users)

    @property
    def n_events(self) -> int:
        """Events of all users together."""
        return len(self.items)

    @property
    def lengths(self) -> Ints:
        """Events of each user: int64 [U]."""
        return np.diff(self.offsets)

    @property
    def n_ordered(self) -> Ints:
        """Ordered events of each user: int64 [U]."""
        return _sums(self.ordered, self.offsets)

    @property
    def rows(self) -> Ints:
        """Row of the user of each event, an index into `users`: int64 [N]."""
        return np.repeat(np.arange(len(self)), self.lengths)

    def slice(self, start: int, stop: int) -> Histories:
        """Users in rows `start` to `stop` - 1, as views."""
        start, stop, _ = slice(start, stop).indices(len(self))
        stop = max(start, stop)
        first, last = self.offsets[start], self.offsets[stop]
        cut = {name: getattr(self, name)[first:last] for name in PER_EVENT}
        return Histories(self.users[start:stop], self.offsets[start : stop + 1] - first, **cut)

    def take(self, rows: npt.ArrayLike) -> Histories:
        """Users in the given rows (indices into `users`, not user numbers), in that order."""
        chosen = np.asarray(rows, np.int64)
        offsets, events = _taken(self.offsets, chosen)
        return Histories(self.users[chosen], offsets, **{name: getattr(self, name)[events] for name in PER_EVENT})

    def where(self, mask: npt.NDArray[np.bool_]) -> Histories:
        """Return the same users with only the events of `mask`, bool [N]."""
        kept = {name: getattr(self, name)[mask] for name in PER_EVENT}
        return Histories(self.users, _offsets(_sums(mask, self.offsets)), **kept)

    def without_last(self, n: int) -> Histories:
        """Return the same users without the last `n` ordered events of each."""
        ends = self.offsets[1:] - np.minimum(n, self.n_ordered)
        return self.where(np.arange(self.n_events) < np.repeat(ends, self.lengths))

    def newest(self, n: int) -> Histories:
        """Return the same users with at most their last `n` events each."""
        starts = np.maximum(self.offsets[1:] - n, self.offsets[:-1])
        return self.where(np.arange(self.n_events) >= np.repeat(starts, self.lengths))

    def last_items(self) -> npt.NDArray[np.int32]:
        """Item of each user's last ordered event: int32 [U], -1 where there is none."""
        return np.where(self.n_ordered > 0, self._last(self.items), np.int32(-1)).astype(np.int32)

    def last_types(self) -> npt.NDArray[np.int8]:
        """Type of each user's last ordered event: int8 [U], -1 where there is none."""
        return np.where(self.n_ordered > 0, self._last(self.types), np.int8(-1)).astype(np.int8)

    def _last(self, column: npt.NDArray[Any]) -> npt.NDArray[Any]:
        padded = np.append(column, column.dtype.type(-1))  # index -1 is there even where no event is
        return padded[np.maximum(self.offsets[1:] - 1, -1)]


@dataclass(frozen=True)
class ModelInputs:
    """What a refiner reads of some histories: each user's newest ordered events.

    Attributes
    ----------
    offsets
        int64 [U + 1], as in `Histories`.
    items
        int32 [M].
    types
        int8 [M].
    values, gaps
        float32 [M], scaled; 0 where missing.
    events
        int64 [M], row of each event in the histories they come from.
    """

    offsets: Ints
    items: npt.NDArray[np.int32]
    types: npt.NDArray[np.int8]
    values: npt.NDArray[np.float32]
    gaps: npt.NDArray[np.float32]
    events: Ints

    def take(self, rows: npt.ArrayLike) -> ModelInputs:
        """The users in the given rows, in that order."""
        offsets, events = _taken(self.offsets, np.asarray(rows, np.int64))
        rest = (getattr(self, field.name)[events] for field in fields(self) if field.name != "offsets")
        return ModelInputs(offsets, *rest)


def model_inputs(histories: Histories, value: Scale, gap: Scale, max_events: int) -> ModelInputs:
    """Cut histories into a model's inputs.

    Parameters
    ----------
    histories
        Of U users.
    value, gap
        Scales of the data set that the model was trained on.
    max_events
        Newest ordered events kept of each user; at least 1. A kept event's gap still reaches back to one that
        is not.

    Returns
    -------
    ModelInputs
        Events without a place in their history are left out.
    """
    ordered = histories.ordered
    counts = histories.n_ordered
    # ordered events come last, so the newest of them are each user's last rows
    starts = histories.offsets[1:] - np.minimum(counts, max_events)
    kept = ordered & (np.arange(histories.n_events) >= np.repeat(starts, histories.lengths))
    events = np.flatnonzero(kept)
    return ModelInputs(
        offsets=_offsets(_sums(kept, histories.offsets)),
        items=histories.items[events],
        types=histories.types[events],
        values=scaled(histories.values[events], value),
        gaps=scaled(gap_seconds(histories)[events], gap),
        events=events,
    )


def gap_seconds(histories: Histories) -> npt.NDArray[np.float64]:
    """Seconds since the same user's previous ordered event with a time.

    Returns
    -------
    float64 [N]
        Never negative; NaN for a user's first such event and for events without a time or a place.
    """
    gaps = np.full(histories.n_events, np.nan)
    timed = np.flatnonzero(histories.ordered & (histories.times != schema.NO_TIME))
    users, times = histories.rows[timed], histories.times[timed]
    same = users[1:] == users[:-1]
    gaps[timed[1:][same]] = np.maximum(np.diff(times)[same], 0)
    return gaps


def histories_from(
    items: Sequence[Sequence[int]],
    *,
    types: Sequence[Sequence[int]] | None = None,
    values: Sequence[Sequence[float]] | None = None,
    quantities: Sequence[Sequence[float]] | None = None,
    prices: Sequence[Sequence[float]] | None = None,
    times: Sequence[Sequence[int]] | None = None,
    users: Sequence[int] | None = None,
) -> Histories:
    """Build histories from lists, one list a user, oldest event first.

    Parameters
    ----------
    items
        Item numbers; an empty list is a user without events.
    types
        Event types; all 0 if not given.
    values, quantities, prices
        NaN where absent, or not given at all.
    times
        Seconds since 1970 in UTC, or `schema.NO_TIME`; not given, no time is known.
    users
        User numbers; 0, 1, 2, ... if not given.

    Raises
    ------
    InputError
        The lists differ in length.
    """
    lengths = np.fromiter(map(len, items), np.int64, len(items))
    total = int(lengths.sum())
    if users is not None and len(users) != len(items):
        raise InputError(f"{len(items)} histories were given, but {len(users)} users. Give one user for each.")

    def flat(name: str, lists: Sequence[Sequence[float]] | None, kind: Any, default: float) -> npt.NDArray[Any]:
        if lists is None:
            return np.full(total, default, kind)
        if not np.array_equal(np.fromiter(map(len, lists), np.int64, len(lists)), lengths):
            raise InputError(f"'{name}' and 'items' differ in length. Give one of them for each event.")
        return np.fromiter(chain.from_iterable(lists), kind, total)

    return Histories(
        users=np.arange(len(items), dtype=np.int32) if users is None else np.asarray(users, np.int32),
        offsets=_offsets(lengths),
        items=flat("items", items, np.int32, 0),
        types=flat("types", types, np.int8, 0),
        values=flat("values", values, np.float32, np.nan),
        quantities=flat("quantities", quantities, np.float32, np.nan),
        prices=flat("prices", prices, np.float32, np.nan),
        times=flat("times", times, np.int64, schema.NO_TIME),
        ordered=np.ones(total, np.bool_),
    )


def from_table(table: pa.Table, first: int, stop: int) -> Histories:
    """Histories of the users `first` to `stop` - 1 from a table of schema `EVENTS`, sorted as that says."""
    counts = np.bincount(_array(table, schema.USER).astype(np.int64) - first, minlength=stop - first)
    return Histories(
        users=np.arange(first, stop, dtype=np.int32),
        offsets=_offsets(counts),
        items=_array(table, schema.ITEM),
        types=_array(table, schema.TYPE),
        values=_array(table, schema.VALUE),
        quantities=_array(table, schema.QUANTITY),
        prices=_array(table, schema.PRICE),
        times=_array(table, schema.TIME),
        ordered=_array(table, schema.POSITION) != schema.UNORDERED,
    )


def read_events(dataset: Dataset, bucket: int) -> pa.Table:
    """Read one bucket's events: schema `EVENTS`."""
    return _read(dataset.bucket(bucket), schema.EVENTS)


def read_bucket(dataset: Dataset, bucket: int) -> Histories:
    """Histories of one bucket's users, those without events included."""
    first, stop = dataset.info.bucket_users[bucket : bucket + 2]
    return from_table(read_events(dataset, bucket), first, stop)


def read_histories(dataset: Dataset) -> Histories:
    """Histories of all users of a data set; row u is user u."""
    buckets = [read_bucket(dataset, bucket) for bucket in range(dataset.info.n_buckets)]
    joined = {
        field.name: np.concatenate([getattr(bucket, field.name) for bucket in buckets])
        for field in fields(Histories)
        if field.name != "offsets"
    }
    return Histories(offsets=_offsets(np.concatenate([bucket.lengths for bucket in buckets])), **joined)


def read_catalogue(path: Path) -> pa.Table:
    """Read a catalogue of schema `ITEMS`, from a data set or an index."""
    return _read(path, schema.ITEMS)


def titles(catalogue: pa.Table) -> list[str]:
    """What a person calls each item: its title, else its text, else its id."""
    text = pc.if_else(pc.equal(catalogue[schema.TEXT], ""), None, catalogue[schema.TEXT])
    return list(pc.coalesce(catalogue[schema.TITLE], text, catalogue[schema.ITEM_ID]).to_pylist())


def read_users(dataset: Dataset) -> pa.Table:
    """Read the users: schema `USERS`, then a string column for each attribute; row u is user u."""
    return _read(dataset.users, users_schema(dataset))


def users_schema(dataset: Dataset) -> pa.Schema:
    """Schema of a data set's users: `USERS`, then a string column for each attribute."""
    return pa.schema([*schema.USERS, *(pa.field(name, pa.string()) for name in dataset.info.attributes)])


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Name the file where it cannot be read; raises `ArtefactError`."""
    try:
        yield
    except (pa.ArrowException, OSError) as error:
        raise ArtefactError(f"{path} cannot be read: {error}. Ingest the data again.") from error


def check_columns(path: Path, found: pa.Schema, expected: pa.Schema) -> None:
    """See that a file has the columns that it should have; raises `ArtefactError`."""
    if found.names != expected.names or found.types != expected.types:
        raise ArtefactError(f"{path} has the columns {', '.join(found.names)}, not those of a data set.")


def _read(path: Path, expected: pa.Schema) -> pa.Table:
    with reading(path):
        table = pq.read_table(path)
    check_columns(path, table.schema, expected)
    return table


def _array(table: pa.Table, name: str) -> npt.NDArray[Any]:
    column = table[name].combine_chunks()
    array: npt.NDArray[Any] = column.to_numpy(zero_copy_only=False)  # nulls of a float column become NaN
    return array


def _offsets(lengths: npt.NDArray[Any]) -> Ints:
    return np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths, dtype=np.int64)])


def _taken(offsets: Ints, rows: Ints) -> tuple[Ints, Ints]:
    """Offsets of some users alone, and their events one user after another."""
    lengths = offsets[rows + 1] - offsets[rows]
    own = _offsets(lengths)
    return own, np.arange(own[-1]) + np.repeat(offsets[rows] - own[:-1], lengths)


def _sums(mask: npt.NDArray[np.bool_], offsets: Ints) -> Ints:
    """Count the true elements between each two offsets."""
    return np.diff(_offsets(mask)[offsets])
