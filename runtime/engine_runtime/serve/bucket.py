"""One bucket of a data set served: from histories to the rows of a part.

A part is a function of the source and the number of its bucket: it does not matter when it is made, after which other
parts, or in which process. What is held in memory is a block of the bucket's users. Knows nothing of where a part goes
in an output.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from engine_runtime.artefacts.dataset import Dataset
from engine_runtime.artefacts.overlay import Overlay
from engine_runtime.data.histories import Histories
from engine_runtime.data.reading import read_blocks, read_bucket_users
from engine_runtime.data.schema import ITEM_ID, N_EVENTS, TEXT, USER_ID
from engine_runtime.data.stored import read_catalogue
from engine_runtime.profile.spending import market
from engine_runtime.search.fusion import Ranking
from engine_runtime.serve.correcting import Corrections, understand
from engine_runtime.serve.engine import Engine, Profiles, check_event_types
from engine_runtime.serve.learned import align
from engine_runtime.serve.output import Names, rows, schema
from engine_runtime.serve.since import Since
from engine_runtime.serve.stages import Stages
from engine_runtime.serve.workers import Advance

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Source:
    """A data set as an engine's index numbers it.

    Attributes
    ----------
    engine
        Knows the items that the index lacks, too.
    dataset
        Where the histories are.
    numbers
        int32 [items of the data set]: their numbers for the engine.
    n_new
        Items that the index lacks.
    names
        What numbers mean to a reader.
    corrections
        What users say of their interests; None where nobody does.
    """

    engine: Engine
    dataset: Dataset
    numbers: npt.NDArray[np.int32]
    n_new: int
    names: Names
    corrections: Corrections | None = None


def serve_bucket(
    source: Source,
    bucket: int,
    path: Path,
    top_k: int,
    stages: Stages,
    advance: Advance,
    chosen: Ints | None = None,
) -> dict[str, int]:
    """Write one part of the output; a function of the source and the bucket, wherever and whenever it is called.

    Parameters
    ----------
    source, bucket
        What is served.
    path
        Where the part goes. A block of users is a row group.
    top_k
        Recommendations a user.
    stages
        What is spent is added here.
    advance
        Called with the number of users done, after each block.
    chosen
        int64, rising: rows in the bucket of the only users that are served; all if None.

    Returns
    -------
    dict
        Numbers of ``users``, their ``events``, users ``without_events`` and users ``corrected`` in the part.
    """
    shape = source.engine.info.shape
    with stages.timed("read"):
        people = read_bucket_users(source.dataset, bucket)
    lengths = people[N_EVENTS].to_numpy()
    start = 0
    people = people if chosen is None else people.take(pa.array(chosen))
    blocks = read_blocks(source.dataset, bucket, lengths, chosen)
    with pq.ParquetWriter(path, schema(shape.item_dim, shape.n_concepts), compression="zstd") as writer:
        while True:
            with stages.timed("read"):
                block = next(blocks, None)
            if block is None:
                break
            table = serve_users(source, people.slice(start, len(block)), block, top_k, stages)
            with stages.timed("write"):
                writer.write_table(table)
            start += len(block)
            stages.users += len(block)
            advance(len(block))
    events = people[N_EVENTS].to_numpy()
    said = source.corrections.count(people[USER_ID]) if source.corrections else 0
    counts = {"users": len(people), "events": int(events.sum()), "without_events": int((events == 0).sum())}
    return counts | {"corrected": said}


def serve_users(source: Source, people: pa.Table, histories: Histories, top_k: int, stages: Stages) -> pa.Table:
    """The output's rows of some users of a data set: `people` are their rows of its users, `histories` their events."""
    engine = source.engine
    numbered = dataclasses.replace(histories, items=source.numbers[histories.items])
    with stages.timed("refine"):
        profiles = engine.profile(numbered)
    with stages.timed("rank"):
        ranking = engine.recommend(profiles, top_k)
    if source.corrections is not None:
        with stages.timed("correct"):
            profiles, ranking = _corrected(source, people, profiles, ranking)
    with stages.timed("facets"):
        return rows(people, numbered, profiles, ranking, source.names, engine.labels(profiles))


def _corrected(source: Source, people: pa.Table, profiles: Profiles, ranking: Ranking) -> tuple[Profiles, Ranking]:
    """Put other rows in the place of those of users who have corrections, in the arrays that are given."""
    found = source.corrections.of(people[USER_ID]) if source.corrections else None
    if found is None:
        return profiles, ranking
    users, personal = found
    own = source.engine.profile(profiles.histories.take(users), personal)
    best = source.engine.recommend(own, ranking.items.shape[1])
    for whole, part in (
        (profiles.query, own.query),
        (profiles.concepts, own.concepts),
        (ranking.items, best.items),
        (ranking.scores, best.scores),
    ):
        whole[users] = part
    return profiles, ranking


def adapt(engine: Engine, dataset: Dataset, since: Since | None = None, overlay: Overlay | None = None) -> Source:
    """Match a data set with an engine's index; with `since`, of the items that it lacks only those that are needed.

    Raises
    ------
    ArtefactError
        The data set numbers its event types otherwise than the bundle, or a concept of the overlay is masked and the
        bundle is of an earlier version.
    """
    check_event_types(engine.info, dataset)
    items, shelf = read_catalogue(dataset.items), engine.shelf
    numbers = align(items[ITEM_ID], shelf.catalogue[ITEM_ID])
    fresh = np.flatnonzero((numbers < 0) & (items[N_EVENTS].to_numpy() > 0))
    if len(fresh) and since is not None:
        fresh = fresh[since.named(dataset)[fresh]]
    if len(fresh):
        engine = engine.with_newcomers(items[TEXT].take(pa.array(fresh)).to_pylist())
        numbers[fresh] = len(shelf.vectors) + np.arange(len(fresh))
    names = Names(
        concepts=engine.learned.concept_names,
        event_types=dataset.info.event_types,
        attributes=dataset.info.attributes,
        item_ids=shelf.catalogue[ITEM_ID].combine_chunks(),
        market=market(shelf.catalogue),
        as_of=dataset.info.last_time,
    )
    return Source(engine, dataset, numbers, len(fresh), names, understand(engine, overlay))
