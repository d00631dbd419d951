"""`engine serve-batch`."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click
from msgspec import to_builtins

from engine_runtime.commands.console import emit, facts, progress, warn
from engine_runtime.commands.options import (
    EXISTING,
    EXISTING_DIRECTORY,
    cache_option,
    force_option,
    json_option,
    out_option,
    overlay_option,
    precision_option,
    provider_option,
)
from engine_runtime.commands.watching import bucket_done, log_begin, show, sum_up, watch_options, watching
from engine_runtime.errors import EngineError, UsageError

if TYPE_CHECKING:
    from engine_runtime.artefacts.dataset import Dataset
    from engine_runtime.artefacts.output import OutputInfo
    from engine_runtime.inference.session import Provider
    from engine_runtime.serve.stages import Stages

PRODUCTS = ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")
"""What tells the library behind NumPy's products, once, when NumPy is imported, how many threads they have. One:
workers keep the CPUs busy already, and with more threads the last bits of a product, and so an output's bytes, would
differ from one machine to another."""


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
    help="CPUs to keep busy; all that this process may use if not given.",
)
@click.option(
    "--memory",
    default="2GB",
    show_default=True,
    help="Memory to stay within beside the index; less means fewer workers.",
)
@precision_option
@provider_option
@cache_option
@click.option(
    "--since",
    type=EXISTING_DIRECTORY,
    help="An output of before: serve only users who have changed since, and list those who are gone.",
)
@overlay_option
@watch_options
@click.option("--resume", is_flag=True, help="Go on from the finished parts of a run that was stopped.")
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
    memory: str,
    precision: str,
    provider: Provider,
    cache: Path | None,
    since: Path | None,
    overlay: Path | None,
    metrics_port: int | None,
    metrics_host: str,
    summary: Path | None,
    resume: bool,
    force: bool,
    as_json: bool,
) -> None:
    """Make a profile and recommendations for every user of EVENTS.

    OUT holds one Parquet part for each bucket of users, one row a user; docs/output.md says what the columns mean.
    Items that the index does not hold are read in histories from their texts and are never recommended.

    A run that is stopped, by a full disk (exit code 3), Ctrl-C (130) or a kill, leaves its finished parts in
    OUT.unfinished. The same command with --resume goes on from there and ends with the same bytes; where nothing was
    begun it begins, and where all is done it does nothing, so a script may always say --resume. Two runs never write
    one OUT: the second ends with exit code 2. docs/operations.md is for who runs this every night.

    With --since only users are served who are new, or whose events or attributes are not what they were when that
    output was made, with the same bundle, index, precision, provider and top-k. Put the rows in the place of the
    earlier ones by user_id, and take out the users in gone.parquet; the next run goes on from OUT.

    With --overlay users who have corrected their interests get what follows from that, and are served with --since when
    their corrections have changed; no bit of another user's row is touched. docs/corrections.md has the formulas.

    \b
    Example:
      engine serve-batch --bundle bundle --index index --events dataset --out profiles
      engine serve-batch --bundle bundle --index index --events tuesday --since monday.out --out tuesday.out
      engine serve-batch --bundle bundle --index index --events today.csv --config dataset.toml --out profiles
      engine --log-format json serve-batch ... --resume --metrics-port 9464 --summary profiles.json
    """
    for library in PRODUCTS:
        os.environ.setdefault(library, "1")

    from engine_runtime.artefacts.index import IndexArtefact
    from engine_runtime.artefacts.output import KIND
    from engine_runtime.artefacts.overlay import read_overlay
    from engine_runtime.artefacts.unfinished import unfinished
    from engine_runtime.serve.batch import begin, changes, serve_rest
    from engine_runtime.serve.engine import Engine

    if since is not None and since.resolve() == out.resolve():
        raise UsageError(f"{out} cannot take its own place: unchanged users have no row in it. Name another directory.")
    with (
        watching(out, summary, metrics_host, metrics_port) as watch,
        _hinting(out),
        unfinished(out, KIND, replace=force, resume=resume) as work,
    ):
        engine = Engine.load(bundle, index_path, precision, workers, provider, cache)
        catalogue = IndexArtefact.open(index_path, verify=False).items
        dataset = _dataset(events, config, users, catalogue, work.scratch, memory)
        said = read_overlay(overlay) if overlay else None
        changed = changes(since, engine, dataset, top_k, said)
        left = begin(work, engine, dataset, top_k, changed, said)
        watch.begin(work, dataset, left)
        log_begin(watch)
        with progress("serving", left, "users") as advance:
            hooks = (watch.counting(advance), bucket_done(watch), watch.stages)
            output, stages = serve_rest(
                work, engine, dataset, top_k, *hooks, memory=memory, since=changed, overlay=said
            )
        watch.end()
        found = sum_up(watch, output, summary)
    if as_json:
        emit(to_builtins(found))
        return
    facts(f"profiles in {out}", _summary(output.info, stages, found.seconds))
    show(found)


def _summary(info: OutputInfo, stages: Stages, seconds: float) -> dict[str, str]:
    """What the output holds, and what this run did for it."""
    shown = {
        "users": f"{info.n_users:,}",
        "of which without events": f"{info.n_without_events:,}",
        "events": f"{info.n_events:,}",
        "items new to the index": f"{info.n_new_items:,}",
        "ran": f"{info.precision} on {info.provider}",
    }
    if info.n_unchanged:
        shown["users unchanged"] = f"{info.n_unchanged:,}"
    if info.n_gone:
        shown["users gone"] = f"{info.n_gone:,}"
    shown |= _corrected(info)
    if stages.users < info.n_users:
        shown["served by an earlier run"] = f"{info.n_users - stages.users:,}"
    shown["seconds"] = f"{seconds:.1f}"
    if stages.seconds:
        shown["users a second"] = f"{stages.users / max(seconds, 1e-9):,.0f}"
        share = stages.seconds[stages.slowest] / sum(stages.seconds.values())
        shown["slowest stage"] = f"{stages.slowest}, {share:.0%} of the work: {stages.floor:.1f} s, were it all"
        shown["CPUs"] = f"{stages.cpus}, busy {min(stages.busy(seconds), 1):.0%} of the time"
    return shown


def _corrected(info: OutputInfo) -> dict[str, str]:
    counts = {
        "users corrected": info.n_corrected,
        "corrected, not in the data set": info.n_unknown_users,
        "corrections of concepts that are gone": info.n_unknown_concepts,
    }
    return {name: f"{count:,}" for name, count in counts.items() if count}


@contextmanager
def _hinting(out: Path) -> Iterator[None]:
    """Say what a failed run leaves and how to go on from there."""
    from engine_runtime.artefacts.unfinished import is_begun, unfinished_folder

    try:
        yield
    except (KeyboardInterrupt, OSError, EngineError) as error:
        if is_begun(out) and not isinstance(error, UsageError):
            warn(f"finished parts are kept in {unfinished_folder(out)}: add --resume to go on from there")
        raise


def _dataset(
    events: Sequence[Path], config: Path | None, users: Sequence[Path], catalogue: Path, scratch: Path, memory: str
) -> Dataset:
    """The data set that `events` is, or one made of raw files in `scratch` for this run alone."""
    from engine_runtime.artefacts.dataset import Dataset
    from engine_runtime.artefacts.manifest import MANIFEST

    if len(events) == 1 and (events[0] / MANIFEST).is_file():
        if config or users:
            raise UsageError(f"{events[0]} is a data set already: leave out --config and --users.")
        return Dataset.open(events[0])
    if config is None:
        raise UsageError(f"{events[0]} is no data set. Raw event files need --config, a TOML that maps their columns.")
    from engine_runtime.data.config_file import load_config
    from engine_runtime.data.ingest import ingest

    made = ingest(load_config(config), events, [], users, scratch / "dataset", memory=memory, catalogue=catalogue)
    if made.info.n_rejects:
        warn(f"{made.info.n_rejects:,} rows were rejected; `engine data ingest` lists them")
    return made
