"""Buckets of events, written one after another, and what is counted over all of them on the way.

Knows the layout of a bucket and of what goes beside it; knows nothing of where the events came from. What is counted
in a bucket does not hang on the others, but the scales' last digits hang on the order of the buckets.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from engine_runtime.artefacts.dataset import EVENTS_FOLDER, FINGERPRINTS_FILE, ORDERS_FOLDER, bucket_file, order_file
from engine_runtime.data import schema
from engine_runtime.data.fingerprints import Marks, fingerprints
from engine_runtime.data.histories import Histories, from_table
from engine_runtime.data.inputs import gap_seconds
from engine_runtime.data.scaling import Moments, transform

if TYPE_CHECKING:
    from engine_runtime.artefacts.dataset import Scale

ROW_GROUP = 131_072


class Recorder:
    """Writes a data set's buckets.

    Attributes
    ----------
    item_counts
        int64 [items]: events of each item in the buckets written.
    user_counts
        Events of each user: int64, an array a bucket.
    """

    def __init__(self, root: Path, items: Marks, users: Marks, *, value_log: bool, orders: bool) -> None:
        self.root = root
        self.items = items
        self.users = users
        self.value_log = value_log
        self.orders = orders
        self.item_counts = np.zeros(len(items), np.int64)
        self.user_counts: list[npt.NDArray[np.int64]] = []
        self.n_ordered = 0
        self.first_time: int | None = None
        self.last_time: int | None = None
        self._value, self._gap = Moments(), Moments()
        self._fingerprints: list[Marks] = []
        (root / EVENTS_FOLDER).mkdir()
        if orders:
            (root / ORDERS_FOLDER).mkdir()

    def write(self, table: pa.Table, first: int, stop: int) -> None:
        """Write the next bucket.

        Parameters
        ----------
        table
            Events of schema `engine_runtime.data.schema.PLACED`, sorted as that says.
        first, stop
            Its users.
        """
        bucket = len(self.user_counts)
        events = table.select(schema.EVENTS.names)
        _write(events, self.root / bucket_file(bucket))
        if self.orders:
            _write(table.select([schema.ORDINAL]), self.root / order_file(bucket))
        self._count(from_table(events, first, stop), self.users[first:stop])

    def _count(self, histories: Histories, users: Marks) -> None:
        self.user_counts.append(histories.lengths)
        self.item_counts += np.bincount(histories.items, minlength=len(self.item_counts))
        self.n_ordered += int(histories.ordered.sum())
        known = histories.times[histories.times != schema.NO_TIME]
        if len(known):
            first, last = int(known.min()), int(known.max())
            self.first_time = first if self.first_time is None else min(self.first_time, first)
            self.last_time = last if self.last_time is None else max(self.last_time, last)
        values, gaps = histories.values, gap_seconds(histories)
        self._value = self._value.add(transform(values[values == values], log=self.value_log))
        self._gap = self._gap.add(transform(gaps[gaps == gaps], log=True))
        self._fingerprints.append(fingerprints(histories, self.items, users))

    def finish(self) -> tuple[Scale, Scale]:
        """Write the fingerprints; return the scales of values and of gaps over all buckets."""
        np.save(self.root / FINGERPRINTS_FILE, np.concatenate(self._fingerprints))
        return self._value.scale(log=self.value_log), self._gap.scale(log=True)

    def counts(self) -> dict[str, Any]:
        """Return what a `DatasetInfo` says of events, once all buckets are written."""
        return {
            "n_events": int(self.item_counts.sum()),
            "n_ordered": self.n_ordered,
            "n_items_with_events": int((self.item_counts > 0).sum()),
            "first_time": self.first_time,
            "last_time": self.last_time,
        }


def _write(table: pa.Table, path: Path) -> None:
    pq.write_table(table, path, row_group_size=ROW_GROUP, compression="zstd")
