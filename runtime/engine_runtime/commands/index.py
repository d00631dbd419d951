"""`engine index`."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING

import click

from engine_runtime.commands.console import emit, facts, note, progress
from engine_runtime.commands.options import (
    DIRECTORY,
    EXISTING_DIRECTORY,
    cache_option,
    force_option,
    json_option,
    precision_option,
    provider_option,
    threads_option,
)

if TYPE_CHECKING:
    from engine_runtime.inference.session import Provider
    from engine_runtime.search.building import Method


@click.command(short_help="Index a data set's items for search.")
@click.argument("bundle", type=EXISTING_DIRECTORY)
@click.argument("dataset", type=EXISTING_DIRECTORY)
@click.option("--out", type=DIRECTORY, help="Where the index goes; BUNDLE.index if not given.")
@click.option(
    "--from",
    "base",
    type=EXISTING_DIRECTORY,
    help="Earlier index of BUNDLE: what it holds is not encoded again, and its graph is gone on from.",
)
@click.option(
    "--method",
    type=click.Choice(["auto", "exact", "hnsw"]),
    default="auto",
    show_default=True,
    help="auto is exact up to 20,000 items.",
)
@click.option("--m", type=click.IntRange(4, 128), default=24, show_default=True, help="HNSW: links a point.")
@click.option(
    "--ef-construction",
    type=click.IntRange(8),
    default=200,
    show_default=True,
    help="HNSW: breadth at build.",
)
@click.option("--ef", type=click.IntRange(8), default=64, show_default=True, help="HNSW: least breadth of a search.")
@precision_option
@provider_option
@threads_option
@cache_option
@force_option
@json_option
def index(
    bundle: Path,
    dataset: Path,
    out: Path | None,
    base: Path | None,
    method: Method,
    m: int,
    ef_construction: int,
    ef: int,
    precision: str,
    provider: Provider,
    threads: int | None,
    cache: Path | None,
    force: bool,
    as_json: bool,
) -> None:
    """Encode the items of DATASET with BUNDLE and build a search index over them.

    The recall of HNSW is measured against exact search with real users' queries; the breadth of search is raised
    until it is .98.

    With --from, a new data set becomes an index in the time that its changes take: only texts that the earlier index
    lacks are encoded, new vectors join its graph, items that are gone leave it. The graph is built anew where more
    than a fifth of its points would be dead or the recall is out of reach, and where --method, --m or
    --ef-construction are other than the earlier index's. OUT is a whole index of its own; with --force it may be the
    earlier one, which it then replaces in one step.

    \b
    Example:
      engine index bundle dataset --out index
      engine index bundle today --from index --out index --force
    """
    from engine_runtime.artefacts.dataset import Dataset
    from engine_runtime.artefacts.index import IndexArtefact
    from engine_runtime.search.building import IndexSettings
    from engine_runtime.serve.engine import Engine
    from engine_runtime.serve.indexing import make_index

    target = out or bundle.resolve().with_name(f"{bundle.resolve().name}.index")
    earlier = IndexArtefact.open(base) if base is not None else None
    variant = earlier.info.precision if earlier is not None and precision == "auto" else precision
    engine = Engine.load(bundle, precision=variant, threads=threads, provider=provider, cache=cache)
    settings = IndexSettings(method, m, ef_construction, ef)
    given = Dataset.open(dataset)
    made = make_index(engine, given, target, settings, base=earlier, replace=force, report=note, watch=progress)
    if as_json:
        emit({"index": str(target), "digest": made.manifest.digest} | dataclasses.asdict(made.info))
        return
    info = made.info
    shown = {
        "items": f"{info.n_items:,}",
        "of which may be recommended": f"{info.n_rankable:,}",
        "distinct vectors": f"{info.n_points:,}" + (f", {info.n_dead:,} dead" if info.n_dead else ""),
        "search": info.method if info.method == "exact" else f"hnsw, M {info.m}, ef {info.ef}",
        "recall@10 against exact": f"{info.recall:.4f} on {info.n_probes:,} queries",
        "vectors from": info.precision,
    }
    facts(f"index in {target}", shown)
