"""From the numbered tables to a whole data set: the order in which its files are written.

What a bucket's events are is asked of the caller, who has them in the database or puts them together.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Protocol

import numpy as np

from engine_runtime.artefacts.dataset import CONFIG_FILE, DatasetInfo
from engine_runtime.data import tables
from engine_runtime.data.config import keep_config
from engine_runtime.data.fingerprints import item_marks, user_marks
from engine_runtime.data.recording import Recorder

if TYPE_CHECKING:
    from pathlib import Path

    import duckdb
    import pyarrow as pa

    from engine_runtime.data.config import DatasetConfig
    from engine_runtime.data.staging import Report


class ReadBucket(Protocol):
    """Gives the events of the users `first` to `stop` - 1, of schema `engine_runtime.data.schema.PLACED`."""

    def __call__(self, first: int, stop: int, /) -> pa.Table:
        """Read one bucket; buckets are asked for in their order, each once."""


def write(
    con: duckdb.DuckDBPyConnection,
    config: DatasetConfig,
    root: Path,
    n_attributes: int,
    n_buckets: int,
    read: ReadBucket,
    report: Report | None = None,
) -> DatasetInfo:
    """Write a data set.

    Parameters
    ----------
    con
        With the tables ``users``, ``items``, ``rejects`` and ``duplicates``.
    config
        Which column is what.
    root
        Where the files go.
    n_attributes
        How many of the attributes of `config` the users have.
    n_buckets
        Over which ``users`` are numbered.
    read
        Gives each bucket's events.
    report
        Told of progress.
    """
    attributes = config.users.attributes[:n_attributes] if config.users else ()
    first_users = tables.bucket_users(con, n_buckets)
    log, ordered = config.events is not None and config.events.value_scale == "log", order_is_kept(config)
    recorder = Recorder(root, item_marks(con), user_marks(con, attributes), value_log=log, orders=ordered)
    for bucket, (first, stop) in enumerate(itertools.pairwise(first_users)):
        if report is not None:
            report(0, f"writing bucket {bucket + 1} of {n_buckets}")
        recorder.write(read(first, stop), first, stop)
    value, gap = recorder.finish()
    tables.write_items(con, root, recorder.item_counts)
    tables.write_users(con, root, first_users, attributes, np.concatenate(recorder.user_counts))
    tables.write_rejects(con, root)
    keep_config(config, root / CONFIG_FILE)
    return DatasetInfo(
        name=config.name,
        domain=config.domain,
        **tables.counts(con),
        **recorder.counts(),
        n_buckets=n_buckets,
        bucket_users=first_users,
        event_types=tuple(config.types),
        event_weights=tuple(config.types.values()),
        value=value,
        gap=gap,
        currency=config.currency,
        attributes=attributes,
        text_template=config.items.text if config.items else "",
    )


def order_is_kept(config: DatasetConfig) -> bool:
    """Whether a user's events are ordered by a column of their own, which is kept for events that come later."""
    return config.events is not None and config.events.order is not None
