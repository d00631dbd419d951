"""What the readable facets cost in serving.

    PYTHONPATH=tests python -m end_to_end.facet_cost --bundle bundle --index index --events dataset

Serves the same blocks of users with all facets, as serve-batch does, and with vector, concepts and recommendations
alone, in turn, and prints users and CPU seconds of both: medians over the rounds, and the median of the ratio within a
round. Reading and writing files is part of neither.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import click
import numpy as np
import pyarrow as pa

from engine_runtime.artefacts.dataset import Dataset
from engine_runtime.data.histories import Histories
from engine_runtime.data.reading import read_blocks, read_bucket_users
from engine_runtime.data.schema import N_EVENTS, USER_ID
from engine_runtime.serve.bucket import Source, adapt, serve_users
from engine_runtime.serve.engine import Engine
from engine_runtime.serve.output import recommendations
from engine_runtime.serve.stages import Stages

Block = tuple[pa.Table, Histories]
Serve = Callable[[Source, Block, int], pa.Table]


@dataclass(frozen=True)
class Spent:
    """Wall and CPU seconds of one pass over all blocks."""

    seconds: float
    cpu_seconds: float


def with_facets(source: Source, block: Block, top_k: int) -> pa.Table:
    """The rows of serve-batch."""
    return serve_users(source, *block, top_k, Stages())


def without_facets(source: Source, block: Block, top_k: int) -> pa.Table:
    """The same users, with what a machine reads alone."""
    people, histories = block
    profiles = source.engine.profile(replace(histories, items=source.numbers[histories.items]))
    ranking = source.engine.recommend(profiles, top_k)
    vectors = [
        pa.FixedSizeListArray.from_arrays(pa.array(values.ravel()), values.shape[1])
        for values in (profiles.query, profiles.concepts)
    ]
    columns = [people[USER_ID], *vectors, recommendations(ranking, source.names.item_ids)]
    return pa.table(columns, names=["user_id", "query", "concepts", "recommendations"])


def read(dataset: Dataset, most: int) -> list[Block]:
    """Blocks of users as serve-batch cuts them, up to `most` users."""
    blocks: list[Block] = []
    left = most
    for bucket in range(dataset.info.n_buckets):
        people, start = read_bucket_users(dataset, bucket), 0
        for histories in read_blocks(dataset, bucket, people[N_EVENTS].to_numpy()):
            if left <= 0:
                return blocks
            kept = min(left, len(histories))
            blocks.append((people.slice(start, kept), histories.take(np.arange(kept))))
            start, left = start + len(histories), left - kept
    return blocks


def timed(serve: Serve, source: Source, blocks: Sequence[Block], top_k: int) -> Spent:
    """One pass."""
    started, worked = time.perf_counter(), time.process_time()
    for block in blocks:
        serve(source, block, top_k)
    return Spent(time.perf_counter() - started, time.process_time() - worked)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure one bundle with its index and data set."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bundle", type=Path, required=True)
    parser.add_argument("--index", type=Path, required=True)
    parser.add_argument("--events", type=Path, required=True)
    parser.add_argument("--users", type=int, default=5000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--top-k", type=int, default=10)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args(arguments)
    source = adapt(Engine.load(options.bundle, options.index, threads=options.threads), Dataset.open(options.events))
    blocks = read(source.dataset, options.users)
    forms: dict[str, Serve] = {"with facets": with_facets, "without": without_facets}
    spent: dict[str, list[Spent]] = {name: [] for name in forms}
    for serve in forms.values():
        timed(serve, source, blocks[:1], options.top_k)
    for turn in range(options.rounds):
        for name in list(forms)[:: 1 if turn % 2 == 0 else -1]:
            spent[name].append(timed(forms[name], source, blocks, options.top_k))
    show(spent, sum(len(histories) for _, histories in blocks), source.engine.precision)
    return 0


def show(spent: dict[str, list[Spent]], users: int, precision: str) -> None:
    """Print medians of both forms, and what the facets add."""
    rounds = len(next(iter(spent.values())))
    click.echo(f"{users:,} users, {precision}, {rounds} rounds in turn")
    for name, passes in spent.items():
        seconds = statistics.median(each.seconds for each in passes)
        cpu = statistics.median(each.cpu_seconds for each in passes)
        click.echo(f"  {name:12} {users / seconds:8,.0f} users/s  {1e6 * cpu / users:7.1f} CPU s a million users")
    full, bare = spent["with facets"], spent["without"]
    pairs = list(zip(full, bare, strict=True))
    wall = statistics.median(one.seconds / other.seconds for one, other in pairs)
    work = statistics.median(one.cpu_seconds / other.cpu_seconds for one, other in pairs)
    click.echo(f"  facets add   {wall - 1:8.1%} of time   {work - 1:7.1%} of CPU seconds")


if __name__ == "__main__":
    raise SystemExit(main())
