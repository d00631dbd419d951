"""Who is served in a comparison, and what came next for them: a data set of some users without their test event.

Knows data sets and the split of evaluation; knows nothing of who serves.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from engine_models.corpus import evenly, read_corpus
from engine_models.split import until
from engine_runtime.artefacts import dataset as layout
from engine_runtime.artefacts.dataset import Dataset
from engine_runtime.artefacts.writing import drafting
from engine_runtime.data import schema
from engine_runtime.data.histories import Histories
from engine_runtime.data.stored import read_catalogue, read_users
from engine_runtime.errors import InputError

COLUMNS = {
    schema.ITEM: "items",
    schema.TYPE: "types",
    schema.VALUE: "values",
    schema.QUANTITY: "quantities",
    schema.PRICE: "prices",
    schema.TIME: "times",
}
"""Where each column of a bucket is in `Histories`."""


@dataclass(frozen=True)
class Asked:
    """What is asked of everyone.

    Attributes
    ----------
    dataset
        Some users of a data set with their ordered events before the test event; the whole catalogue.
    targets
        int32 [users]: item of each one's test event.
    """

    dataset: Dataset
    targets: npt.NDArray[np.int32]


def ask(dataset: Dataset, most_users: int, out: Path) -> Asked:
    """Choose users of a data set evenly among those with a test event, and write their histories before it.

    Parameters
    ----------
    dataset
        Whole.
    most_users
        Users chosen, where there are more.
    out
        Where the smaller data set goes: its users are in the order of `Asked.targets`, in the buckets where they were.

    Raises
    ------
    InputError
        No user has a test event.
    """
    split = read_corpus(dataset).split
    chosen = evenly(len(split.users), most_users)
    if not len(chosen):
        raise InputError(f"{dataset.root} has no user with a test event. Ingest longer histories.")
    users, test = split.users[chosen], split.test[chosen]
    return Asked(_write(dataset, until(split.histories, users, test), out), split.histories.items[test])


def _write(dataset: Dataset, histories: Histories, out: Path) -> Dataset:
    """Write some users of a data set as one of its own."""
    catalogue, lengths = read_catalogue(dataset.items), pa.array(histories.lengths)
    counts = np.bincount(histories.items, minlength=len(catalogue))
    users = read_users(dataset).take(pa.array(histories.users))
    starts = np.searchsorted(histories.users, dataset.info.bucket_users).tolist()
    events = _events(histories)
    with drafting(out, layout.KIND) as draft:
        for bucket, (first, stop) in enumerate(pairwise(starts)):
            path = draft.path / layout.bucket_file(bucket)
            path.parent.mkdir(exist_ok=True)
            rows = histories.offsets[[first, stop]].tolist()
            pq.write_table(events.slice(rows[0], rows[1] - rows[0]), path)
        pq.write_table(_counted(catalogue, pa.array(counts)), draft.path / layout.ITEMS_FILE)
        pq.write_table(_counted(users, lengths), draft.path / layout.USERS_FILE)
        info = replace(
            dataset.info,
            n_users=len(histories),
            n_events=histories.n_events,
            n_ordered=histories.n_events,
            n_items_with_events=int(np.count_nonzero(counts)),
            bucket_users=tuple(starts),
        )
        draft.seal(info, {layout.KIND: dataset.manifest.digest})
    return Dataset.open(out)


def _counted(table: pa.Table, counts: pa.Array) -> pa.Table:
    """The table with other numbers of events."""
    column = table.schema.get_field_index(schema.N_EVENTS)
    return table.set_column(column, table.schema.field(column), counts)


def _events(histories: Histories) -> pa.Table:
    """All events, their users numbered from 0."""
    columns = {
        schema.USER: histories.rows,
        **{name: getattr(histories, field) for name, field in COLUMNS.items()},
        schema.POSITION: np.arange(histories.n_events) - np.repeat(histories.offsets[:-1], histories.lengths),
    }
    arrays = [pa.array(columns[each.name], each.type, from_pandas=True) for each in schema.EVENTS]  # NaN is null
    return pa.Table.from_arrays(arrays, schema=schema.EVENTS)
