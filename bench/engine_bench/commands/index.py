"""`engine bench index`: the index beside other HNSW at the same recall."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from engine_bench.commands.options import numbers, out_option, rounds_option
from engine_bench.commands.showing import keep, show
from engine_runtime.commands import console
from engine_runtime.commands.options import EXISTING_DIRECTORY, json_option, threads_option

if TYPE_CHECKING:
    from engine_bench.search.vectors import Field


@click.command("index")
@click.option(
    "--vectors",
    "sizes",
    default="200000,1000000",
    show_default=True,
    help="Numbers of synthetic vectors, separated by commas.",
)
@click.option("--dim", type=click.IntRange(min=2), default=192, show_default=True, help="Width of a synthetic vector.")
@click.option("--seed", type=click.IntRange(min=0), default=1, show_default=True, help="Of the synthetic vectors.")
@click.option(
    "--index",
    type=EXISTING_DIRECTORY,
    default=None,
    help="Search the vectors of this index in place of synthetic ones.",
)
@click.option("--bundle", type=EXISTING_DIRECTORY, default=None, help="The bundle that the index was made with.")
@click.option("--dataset", type=EXISTING_DIRECTORY, default=None, help="The index's data set, whose users ask.")
@click.option("--contenders", "names", default="", help="Who takes part, separated by commas; all if not given.")
@click.option(
    "--queries",
    type=click.IntRange(min=10),
    default=2000,
    show_default=True,
    help="Queries that choose the breadth of search and are timed.",
)
@click.option(
    "--recall",
    type=click.FloatRange(min=0, max=1, min_open=True),
    default=0.98,
    show_default=True,
    help="Recall@10 that all are tuned to.",
)
@click.option("--m", type=click.IntRange(min=2), default=24, show_default=True, help="Links of a point.")
@click.option("--ef-construction", type=click.IntRange(min=1), default=200, show_default=True, help="Breadth at build.")
@threads_option
@rounds_option
@out_option
@json_option
def index_beside_others(
    sizes: str,
    dim: int,
    seed: int,
    index: Path | None,
    bundle: Path | None,
    dataset: Path | None,
    names: str,
    queries: int,
    recall: float,
    m: int,
    ef_construction: int,
    threads: int | None,
    rounds: int,
    out: Path | None,
    as_json: bool,
) -> None:
    """Search the same vectors by this engine's index, by hnswlib alone and by faiss, in turn, at the same recall.

    Each is built and asked in processes of its own, with the same links and breadth at build. The breadth of search is
    the least that reaches the recall with the queries that are timed. One thread and all, queries in one call and one
    at a time. A contender that is not installed is left out; one that reaches the recall at no breadth is not timed and
    has its curve of recall against rate.

    \b
    Example:
      engine bench index --vectors 200000 --out index.json
      engine bench index --index index --bundle bundle --dataset dataset
    """
    from engine_bench.search.contenders import chosen
    from engine_bench.search.contest import Setting
    from engine_bench.search.entry import contest
    from engine_bench.search.report import notes, settings, sheets
    from engine_runtime.inference.session import available_cpus

    members = chosen([name.strip() for name in names.split(",") if name.strip()])
    fields = _real(index, bundle, dataset, queries) or _synthetic(sizes, dim, queries, seed)
    setting = Setting(m, ef_construction, 10, recall, threads or available_cpus(), rounds)
    found = contest(members, fields, setting, console.note)
    if keep(found, out, as_json):
        return
    show(found.machine.facts(), sheets(found))
    console.facts("how each ran", settings(found))
    for line in notes(found):
        click.echo(line)


def _real(index: Path | None, bundle: Path | None, dataset: Path | None, queries: int) -> list[Callable[[], Field]]:
    """What reads an index's vectors; nothing where none was given."""
    from engine_bench.search.vectors import of_index
    from engine_runtime.errors import UsageError

    if index is None and bundle is None and dataset is None:
        return []
    if index is None or bundle is None or dataset is None:
        raise UsageError("--index, --bundle and --dataset go together: the users of the data set ask the queries.")
    return [partial(of_index, index, bundle, dataset, queries)]


def _synthetic(sizes: str, dim: int, queries: int, seed: int) -> list[Callable[[], Field]]:
    """What makes synthetic vectors, one set a size."""
    from engine_bench.search.vectors import synthetic

    return [partial(synthetic, size, dim, queries, seed) for size in numbers("--vectors", sizes)]
