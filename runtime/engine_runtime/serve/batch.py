"""Profiles and recommendations for every user of a data set: which parts are left, who makes them, and how it ends.

Knows the order of the work and what is written down of it; what a part holds is made in `engine_runtime.serve.bucket`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path

import numpy as np
import numpy.typing as npt

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
from engine_runtime.serve.bucket import adapt, serve_bucket
from engine_runtime.serve.engine import Engine
from engine_runtime.serve.plan import MEMORY, plan
from engine_runtime.serve.since import Since, compare, count_unknown, write_gone, write_state
from engine_runtime.serve.stages import Stages
from engine_runtime.serve.workers import Advance, Served, serve_each

Ints = npt.NDArray[np.int64]


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
