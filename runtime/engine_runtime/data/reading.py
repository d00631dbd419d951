"""A bucket read a block of users at a time, so that what is held does not grow with the bucket.

Where blocks begin and end is a function of the users' numbers of events alone, and so is all that is made of them: it
depends on no setting. Knows the files of a data set; knows nothing of what is done with histories.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from engine_runtime.data import schema
from engine_runtime.data.histories import Histories, Ints, from_table
from engine_runtime.data.stored import check_columns, reading, users_schema
from engine_runtime.errors import ArtefactError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from engine_runtime.artefacts.dataset import Dataset

BLOCK_USERS = 4096
BLOCK_EVENTS = 1 << 18
"""Of a block; a user with more is a block alone."""
BATCH_ROWS = 1 << 16


def read_bucket_users(dataset: Dataset, bucket: int) -> pa.Table:
    """Read the users of one bucket: of the schema that `read_users` gives, row u is the bucket's user u."""
    first, stop = dataset.info.bucket_users[bucket : bucket + 2]
    pieces, start = [], 0
    with reading(dataset.users), pq.ParquetFile(dataset.users) as file:
        check_columns(dataset.users, file.schema_arrow, users_schema(dataset))
        for group in range(file.num_row_groups):
            end = start + file.metadata.row_group(group).num_rows
            if start < stop and end > first:
                skipped = max(first - start, 0)
                rows = file.read_row_group(group, use_threads=False)
                pieces.append(rows.slice(skipped, min(stop, end) - start - skipped))
            start = end
    return pa.concat_tables(pieces) if pieces else users_schema(dataset).empty_table()


def read_blocks(dataset: Dataset, bucket: int, n_events: Ints, chosen: Ints | None = None) -> Iterator[Histories]:
    """Histories of a bucket's users, block by block, users without events included.

    Parameters
    ----------
    dataset, bucket
        Where they are.
    n_events
        int64 [users of the bucket], as the data set's users have them.
    chosen
        int64, rising: rows in `n_events` of the only users that are wanted; all if None.

    Raises
    ------
    ArtefactError
        The events are not those of the users.
    """
    rows = np.arange(len(n_events)) if chosen is None else chosen
    path, first = dataset.bucket(bucket), dataset.info.bucket_users[bucket]
    events = _Events(path, first, len(n_events), rows)
    others = f"{path} has other events than the users of {dataset.root}. Ingest the data again."
    for start, stop in pairwise(cuts(n_events[rows])):
        block = rows[start:stop]
        table = events.next(int(n_events[block].sum()))
        histories = from_table(table, first + int(block[0]), first + int(block[-1]) + 1).take(block - block[0])
        if not np.array_equal(histories.lengths, n_events[block]):
            raise ArtefactError(others)
        yield histories
    if len(events.next(1)):
        raise ArtefactError(others)


def cuts(lengths: Ints) -> list[int]:
    """Where blocks of users with so many events begin, and the number of users at the end."""
    ends = np.cumsum(lengths)
    found = [0]
    while (start := found[-1]) < len(lengths):
        before = int(ends[start - 1]) if start else 0
        fitting = int(np.searchsorted(ends, before + BLOCK_EVENTS, side="right"))
        found.append(min(max(fitting, start + 1), start + BLOCK_USERS, len(lengths)))
    return found


class _Events:
    """The events of some users of a bucket, in order, as many at a time as are asked for."""

    def __init__(self, path: Path, first: int, n_users: int, rows: Ints) -> None:
        self._path = path
        self._first = first
        self._wanted = np.zeros(n_users, np.bool_)
        self._wanted[rows] = True
        self._batches = self._read()
        self._held = schema.EVENTS.empty_table()

    def next(self, count: int) -> pa.Table:
        """The next `count` events, or what is left of them."""
        pieces = [self._held]
        while sum(map(len, pieces)) < count and (batch := next(self._batches, None)) is not None:
            pieces.append(batch)
        table = pa.concat_tables(pieces)
        self._held = table.slice(count)
        return table.slice(0, count)

    def _read(self) -> Iterator[pa.Table]:
        with reading(self._path), pq.ParquetFile(self._path) as file:
            check_columns(self._path, file.schema_arrow, schema.EVENTS)
            for batch in file.iter_batches(BATCH_ROWS, use_threads=False):
                users = batch.column(schema.USER).to_numpy() - self._first
                if len(users) and not 0 <= users.min() <= users.max() < len(self._wanted):
                    raise ArtefactError(f"{self._path} has events of users of another bucket. Ingest the data again.")
                table = pa.Table.from_batches([batch], schema.EVENTS)
                yield table if self._wanted.all() else table.filter(pa.array(self._wanted[users]))
