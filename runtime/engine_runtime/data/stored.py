"""The files of a data set, read whole: events and histories of a bucket, the catalogue, the users.

Knows files and their columns; knows nothing of what is done with histories.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from engine_runtime.data import schema
from engine_runtime.data.histories import Histories, from_table, joined
from engine_runtime.errors import ArtefactError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from engine_runtime.artefacts.dataset import Dataset


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
    return joined(buckets)


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
