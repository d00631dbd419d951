"""Profiles and recommendations for every user of a data set, bucket by bucket.

A bucket is a function from its events to its part of the output; what is held in memory is a block of its users.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from engine_runtime.artefacts import bundle as bundle_layout
from engine_runtime.artefacts import dataset as dataset_layout
from engine_runtime.artefacts import output as layout
from engine_runtime.artefacts.dataset import Dataset
from engine_runtime.artefacts.output import Output, OutputInfo
from engine_runtime.artefacts.writing import drafting
from engine_runtime.data.histories import Histories, read_bucket, read_catalogue, read_users
from engine_runtime.data.schema import ITEM_ID, N_EVENTS, TEXT
from engine_runtime.profile.spending import market
from engine_runtime.serve.engine import Engine, align, check_event_types
from engine_runtime.serve.output import Names, rows, schema

BLOCK_USERS = 4096


@dataclass
class Stages:
    """Wall seconds spent in each stage."""

    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def timed(self, stage: str) -> Iterator[None]:
        """Add the time inside the context to `stage`."""
        started = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[stage] = self.seconds.get(stage, 0.0) + time.perf_counter() - started


@dataclass(frozen=True)
class Source:
    """A data set as an engine's index numbers it.

    Attributes
    ----------
    engine
        Knows the items that the index lacks, too.
    numbers
        int32 [items of the data set]: their numbers for the engine.
    n_new
        Items that the index lacks.
    users
        The data set's users.
    names
        What numbers mean to a reader.
    """

    engine: Engine
    numbers: npt.NDArray[np.int32]
    n_new: int
    users: pa.Table
    names: Names


def serve_batch(
    engine: Engine,
    dataset: Dataset,
    out: Path,
    *,
    top_k: int = 10,
    replace: bool = False,
    advance: Callable[[int], None] = lambda users: None,
) -> tuple[Output, Stages]:
    """Serve every user of a data set.

    Parameters
    ----------
    engine
        With an index; its items and the data set's are matched by id.
    dataset
        Whose users are served.
    out
        Where the output goes: one Parquet part for each bucket of users.
    top_k
        Recommendations a user.
    replace
        Whether an output that is there may be replaced.
    advance
        Called with the number of users done, now and then.

    Raises
    ------
    ArtefactError
        The data set numbers its event types otherwise than the bundle.
    """
    stages = Stages()
    with stages.timed("prepare"):
        source = adapt(engine, dataset)
    info = engine.info
    without_events = 0
    columns = schema(info.shape.item_dim, info.shape.n_concepts)
    with drafting(out, layout.KIND, replace=replace) as draft:
        (draft.path / layout.USERS_FOLDER).mkdir()
        for bucket in range(dataset.info.n_buckets):
            with stages.timed("read"):
                histories = read_bucket(dataset, bucket)
            without_events += int((histories.lengths == 0).sum())
            path = draft.path / layout.part_file(bucket)
            with pq.ParquetWriter(path, columns, compression="zstd") as writer:
                for start in range(0, len(histories), BLOCK_USERS):
                    block = histories.slice(start, start + BLOCK_USERS)
                    table = serve_users(source, block, top_k, stages)
                    with stages.timed("write"):
                        writer.write_table(table)
                    advance(len(block))
        parents = {
            bundle_layout.KIND: engine.bundle.manifest.digest,
            dataset_layout.KIND: dataset.manifest.digest,
        }
        described = OutputInfo(
            n_users=dataset.info.n_users,
            n_events=dataset.info.n_events,
            n_new_items=source.n_new,
            n_without_events=without_events,
            top_k=top_k,
            precision=engine.precision,
            provider=engine.provider,
            n_parts=dataset.info.n_buckets,
        )
        with stages.timed("write"):
            draft.seal(described, parents)
    return Output.open(out, verify=False), stages


def serve_users(source: Source, histories: Histories, top_k: int, stages: Stages) -> pa.Table:
    """The output's rows of some users of a data set."""
    engine = source.engine
    numbered = dataclasses.replace(histories, items=source.numbers[histories.items])
    with stages.timed("refine"):
        profiles = engine.profile(numbered)
    with stages.timed("rank"):
        ranking = engine.recommend(profiles, top_k)
    with stages.timed("facets"):
        users = source.users.take(pa.array(histories.users))
        return rows(users, numbered, profiles, ranking, source.names, engine.labels(profiles))


def adapt(engine: Engine, dataset: Dataset) -> Source:
    """Match a data set with an engine's index.

    Raises
    ------
    ArtefactError
        The data set numbers its event types otherwise than the bundle.
    """
    check_event_types(engine.info, dataset)
    items, shelf = read_catalogue(dataset.items), engine.shelf
    numbers = align(items[ITEM_ID], shelf.catalogue[ITEM_ID])
    fresh = np.flatnonzero((numbers < 0) & (items[N_EVENTS].to_numpy() > 0))
    if len(fresh):
        engine = engine.with_newcomers(items[TEXT].take(pa.array(fresh)).to_pylist())
        numbers[fresh] = len(shelf.vectors) + np.arange(len(fresh))
    names = Names(
        concepts=engine.concept_names,
        event_types=dataset.info.event_types,
        attributes=dataset.info.attributes,
        item_ids=shelf.catalogue[ITEM_ID].combine_chunks(),
        market=market(shelf.catalogue),
        as_of=dataset.info.last_time,
    )
    return Source(engine, numbers, len(fresh), read_users(dataset), names)
