"""Profiles and recommendations for every user of a data set, bucket by bucket.

A part is a function of the source and the number of its bucket: it does not matter when it is made, after which other
parts, or in which process. What is held in memory is a block of a bucket's users.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from engine_runtime.artefacts import bundle as bundle_layout
from engine_runtime.artefacts import dataset as dataset_layout
from engine_runtime.artefacts import index as index_layout
from engine_runtime.artefacts import output as layout
from engine_runtime.artefacts.commits import Settings, Task
from engine_runtime.artefacts.dataset import Dataset
from engine_runtime.artefacts.output import Output, OutputInfo
from engine_runtime.artefacts.overlay import Overlay
from engine_runtime.artefacts.unfinished import Unfinished, unfinished
from engine_runtime.artefacts.writing import creator
from engine_runtime.data.histories import Histories, read_catalogue
from engine_runtime.data.reading import read_blocks, read_bucket_users
from engine_runtime.data.schema import ITEM_ID, N_EVENTS, TEXT, USER_ID
from engine_runtime.profile.spending import market
from engine_runtime.search.fusion import Ranking
from engine_runtime.serve.correcting import Corrections, understand
from engine_runtime.serve.engine import Engine, Profiles, check_event_types
from engine_runtime.serve.learned import align
from engine_runtime.serve.output import Names, rows, schema
from engine_runtime.serve.plan import MEMORY, plan
from engine_runtime.serve.since import Since, compare, count_unknown, write_gone, write_state
from engine_runtime.serve.stages import Stages
from engine_runtime.serve.workers import Advance, Served, serve_each

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


def serve_batch(
    engine: Engine,
    dataset: Dataset,
    out: Path,
    *,
    top_k: int = 10,
    memory: str = MEMORY,
    since: Path | None = None,
    overlay: Overlay | None = None,
    replace: bool = False,
    resume: bool = False,
    advance: Advance = lambda users: None,
) -> tuple[Output, Stages]:
    """Serve every user of a data set.

    Parameters
    ----------
    engine
        With an index; its items and the data set's are matched by id.
    dataset
        Whose users are served.
    out
        Where the output goes: one Parquet part for each bucket of users. Until all are there, they are in a folder
        beside it, as `engine_runtime.artefacts.unfinished` says.
    top_k
        Recommendations a user.
    memory
        What may be held beside the index; see `engine_runtime.serve.plan.plan`. No byte of the output depends on it,
        nor on the engine's threads.
    since
        An output made with the same engine of an earlier data set: only users who are not what they were in it are
        served. Days and shares of time in their rows are as of the new data set; the rows of the others stand.
    overlay
        Corrections by users. With `since`, users whose corrections are not what they were are served, too.
    replace
        Whether an output that is there, or an unfinished one, may be replaced.
    resume
        Whether to keep the parts that an earlier run of the same task has finished.
    advance
        Called with the number of users done, now and then.

    Raises
    ------
    ArtefactError
        The data set numbers its event types otherwise than the bundle, what is there to resume is another task, or
        `since` was made with something else.
    UsageError
        The place is taken, by an artefact or by another process.
    """
    with unfinished(out, layout.KIND, replace=replace, resume=resume) as work:
        found = changes(since, engine, dataset, top_k, overlay)
        begin(work, engine, dataset, top_k, found, overlay)
        return serve_rest(work, engine, dataset, top_k, advance, memory=memory, since=found, overlay=overlay)


def changes(
    previous: Path | None, engine: Engine, dataset: Dataset, top_k: int, overlay: Overlay | None = None
) -> Since | None:
    """Who is not what they were in the output `previous`; None where there is none."""
    return None if previous is None else compare(previous, _task(engine, dataset, top_k, overlay), dataset, overlay)


def _task(engine: Engine, dataset: Dataset, top_k: int, overlay: Overlay | None) -> Task:
    """What an output of all users is made from and how."""
    parents = {bundle_layout.KIND: engine.bundle.manifest.digest, dataset_layout.KIND: dataset.manifest.digest}
    if engine.index_digest is not None:
        parents[index_layout.KIND] = engine.index_digest
    said = overlay.digest if overlay else ""
    settings: Settings = {"top_k": top_k, "precision": engine.precision, "provider": engine.provider, "overlay": said}
    return Task(creator(), parents, settings)


def begin(
    work: Unfinished,
    engine: Engine,
    dataset: Dataset,
    top_k: int,
    since: Since | None = None,
    overlay: Overlay | None = None,
) -> int:
    """Say what is served and find what is done of it; return how many users are left."""
    task = _task(engine, dataset, top_k, overlay)
    work.begin(task.parents | ({layout.KIND: since.output} if since else {}), task.settings)
    wanted = since.n_changed if since else dataset.info.n_users
    return 0 if work.manifest is not None else wanted - work.counted("users")


def serve_rest(
    work: Unfinished,
    engine: Engine,
    dataset: Dataset,
    top_k: int,
    advance: Advance = lambda users: None,
    done: Callable[[int, Mapping[str, int]], None] = lambda bucket, counts: None,
    stages: Stages | None = None,
    *,
    memory: str = MEMORY,
    since: Since | None = None,
    overlay: Overlay | None = None,
) -> tuple[Output, Stages]:
    """Serve the buckets that are not done and finish the output.

    `done` is called with the number and the counts of each bucket that is finished; `stages` is added to, and may be
    read meanwhile; `since` is of `changes`. The other parameters are as in `serve_batch`.
    """
    stages = stages or Stages()
    if work.manifest is not None:
        return Output.open(work.out, verify=False), stages
    with stages.timed("prepare"):
        source = adapt(engine, dataset, since, overlay)
        left = [bucket for bucket in range(dataset.info.n_buckets) if layout.part_file(bucket) not in work.done]
        planned = plan(engine, top_k, len(left), memory)
        stages.processes, stages.cpus = planned.processes, planned.processes * planned.threads
        if planned.processes > 1:
            source = dataclasses.replace(source, engine=source.engine.with_threads(planned.threads))
    (work.content / layout.USERS_FOLDER).mkdir(exist_ok=True)

    def serve(bucket: int, advance: Advance) -> Served:
        spent = Stages()
        chosen = since.chosen(dataset, bucket) if since else None
        counts = serve_bucket(source, bucket, work.content / layout.part_file(bucket), top_k, spent, advance, chosen)
        return Served(bucket, counts, spent)

    with closing(serve_each(serve, left, planned.processes, advance)) as parts:
        for served in parts:
            stages.merge(served.stages)
            with stages.timed("commit"):
                work.commit(layout.part_file(served.bucket), served.counts)
            done(served.bucket, served.counts)
    n_users = work.counted("users")
    described = OutputInfo(
        n_users=n_users,
        n_events=work.counted("events"),
        n_new_items=source.n_new,
        n_without_events=work.counted("without_events"),
        top_k=top_k,
        precision=engine.precision,
        provider=engine.provider,
        n_parts=dataset.info.n_buckets,
        n_unchanged=dataset.info.n_users - n_users,
        n_gone=len(since.gone) if since else 0,
        overlay=overlay.digest if overlay else "",
        n_corrected=work.counted("corrected"),
        n_unknown_users=count_unknown(dataset, overlay),
        n_unknown_concepts=source.corrections.n_unknown if source.corrections else 0,
    )
    with stages.timed("commit"):
        _keep_state(work, dataset, since, overlay)
        work.finish(described)
    return Output.open(work.out, verify=False), stages


def _keep_state(work: Unfinished, dataset: Dataset, since: Since | None, overlay: Overlay | None) -> None:
    """Write what a later run compares with, and who is gone."""
    none = {"users": 0, "events": 0, "without_events": 0, "corrected": 0}
    if layout.STATE_FILE not in work.done and write_state(dataset, work.content / layout.STATE_FILE, overlay):
        work.commit(layout.STATE_FILE, none)
    if since is not None and layout.GONE_FILE not in work.done:
        write_gone(since, work.content / layout.GONE_FILE)
        work.commit(layout.GONE_FILE, none)


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
    said = source.corrections.count(people[USER_ID].to_pylist()) if source.corrections else 0
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
    found = source.corrections.of(people[USER_ID].to_pylist()) if source.corrections else None
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
