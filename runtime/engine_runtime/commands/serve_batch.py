"""`engine serve-batch`."""

from __future__ import annotations

import dataclasses
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from engine_runtime.commands.console import emit, facts, note, progress
from engine_runtime.commands.options import (
    EXISTING,
    EXISTING_DIRECTORY,
    cache_option,
    force_option,
    json_option,
    out_option,
    precision_option,
    provider_option,
)
from engine_runtime.errors import UsageError

if TYPE_CHECKING:
    from engine_runtime.artefacts.dataset import Dataset
    from engine_runtime.inference.session import Provider


@click.command(short_help="Profiles and recommendations for every user, as Parquet.")
@click.option("--bundle", type=EXISTING_DIRECTORY, required=True, help="From `engine build` or `engine export`.")
@click.option("--index", "index_path", type=EXISTING_DIRECTORY, required=True, help="From `engine index`.")
@click.option(
    "--events",
    type=EXISTING,
    required=True,
    multiple=True,
    help="A data set, or raw event files with --config.",
)
@click.option("--config", type=EXISTING, help="TOML that maps the columns of raw event files.")
@click.option("--users", type=EXISTING, multiple=True, help="Raw user files that go with them.")
@out_option("output")
@click.option("--top-k", type=click.IntRange(1, 1000), default=10, show_default=True, help="Recommendations a user.")
@click.option(
    "--workers",
    type=click.IntRange(1),
    help="Worker threads; all CPUs that this process may use if not given.",
)
@precision_option
@provider_option
@cache_option
@force_option
@json_option
def serve_batch(
    bundle: Path,
    index_path: Path,
    events: Sequence[Path],
    config: Path | None,
    users: Sequence[Path],
    out: Path,
    top_k: int,
    workers: int | None,
    precision: str,
    provider: Provider,
    cache: Path | None,
    force: bool,
    as_json: bool,
) -> None:
    """Make a profile and recommendations for every user of EVENTS.

    OUT holds one Parquet part for each bucket of users, one row a user; docs/output.md says what the columns mean.
    Items that the index does not hold are read in histories from their texts and are never recommended.

    \b
    Example:
      engine serve-batch --bundle bundle --index index --events dataset --out profiles
      engine serve-batch --bundle bundle --index index --events today.csv --config dataset.toml --out profiles
    """
    from engine_runtime.artefacts.index import IndexArtefact
    from engine_runtime.artefacts.output import KIND
    from engine_runtime.artefacts.writing import check_free
    from engine_runtime.serve.batch import serve_batch as serve
    from engine_runtime.serve.engine import Engine

    check_free(out, KIND, replace=force)
    engine = Engine.load(bundle, index_path, precision, workers, provider, cache)
    catalogue = IndexArtefact.open(index_path, verify=False).items
    with _dataset(events, config, users, catalogue, out) as dataset:
        started = time.perf_counter()
        with progress("serving", dataset.info.n_users, "users") as advance:
            output, stages = serve(engine, dataset, out, top_k=top_k, replace=force, advance=advance)
        seconds = time.perf_counter() - started
    info = output.info
    if as_json:
        timings = {"seconds": seconds, "stages": stages.seconds}
        emit({"output": str(out), "digest": output.manifest.digest} | dataclasses.asdict(info) | timings)
        return
    slowest, took = max(stages.seconds.items(), key=lambda stage: stage[1])
    shown = {
        "users": f"{info.n_users:,}",
        "of which without events": f"{info.n_without_events:,}",
        "events": f"{info.n_events:,}",
        "items new to the index": f"{info.n_new_items:,}",
        "ran": f"{info.precision} on {info.provider}",
        "seconds": f"{seconds:.1f}",
        "users a second": f"{info.n_users / max(seconds, 1e-9):,.0f}",
        "slowest stage": f"{slowest}, {took:.1f} s",
    }
    facts(f"profiles in {out}", shown)


@contextmanager
def _dataset(
    events: Sequence[Path], config: Path | None, users: Sequence[Path], catalogue: Path, out: Path
) -> Iterator[Dataset]:
    """The data set that `events` is, or one made of raw files for this run alone."""
    from engine_runtime.artefacts.dataset import Dataset
    from engine_runtime.artefacts.manifest import MANIFEST

    if len(events) == 1 and (events[0] / MANIFEST).is_file():
        if config or users:
            raise UsageError(f"{events[0]} is a data set already: leave out --config and --users.")
        yield Dataset.open(events[0])
        return
    if config is None:
        raise UsageError(f"{events[0]} is no data set. Raw event files need --config, a TOML that maps their columns.")
    from engine_runtime.data.config import load_config
    from engine_runtime.data.ingest import ingest

    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{out.name}.events.", dir=out.parent) as folder:
        made = ingest(load_config(config), events, [], users, Path(folder) / "dataset", catalogue=catalogue)
        if made.info.n_rejects:
            note(f"{made.info.n_rejects:,} rows were rejected; `engine data ingest` lists them")
        yield made
