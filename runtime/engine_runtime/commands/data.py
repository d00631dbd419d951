"""`engine data`: fetch public data sets or make one up; ingest a user's own files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click
import msgspec
import pyarrow.parquet as pq

from engine_runtime.commands import console
from engine_runtime.commands.append import append
from engine_runtime.commands.options import EXISTING, force_option, json_option, out_option, threads_option
from engine_runtime.data.config import DatasetConfig, IngestConfig
from engine_runtime.data.config_file import load_config
from engine_runtime.data.rejects import count_reasons
from engine_runtime.data.schema import FILE, LINE, REASON

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine_runtime.artefacts.dataset import Dataset

SHOWN_REASONS = 10
SHOWN_REJECTS = 5


@click.group()
def data() -> None:
    """Fetch public data sets or make one up; ingest logs and texts.

    \b
    Example:
      engine data fetch ml-100k --out raw
      engine data ingest --config raw/dataset.toml --out dataset
    """


data.add_command(append)


@data.command()
@click.argument("name")
@out_option("folder")
@click.option(
    "--cache",
    type=click.Path(file_okay=False, path_type=Path),
    default=None,
    help="Where archives are kept; $PROFILE_ENGINE_HOME, or profile-engine in $XDG_CACHE_HOME or ~/.cache.",
)
@force_option
@json_option
def fetch(name: str, out: Path, cache: Path | None, force: bool, as_json: bool) -> None:
    """Fetch the public data set NAME, checksummed, with a dataset.toml for it. Known: ml-100k, complete-journey.

    \b
    Example:
      engine data fetch ml-100k --out raw
    """
    from engine_runtime.data.fetch import fetch as fetch_dataset

    console.note(f"fetching {name}")
    config = fetch_dataset(name, out, cache, replace=force)
    if as_json:
        console.emit({"name": name, "out": str(out), "config": str(config)})
        return
    click.echo(f"{name} is in {out}. Next: engine data ingest --config {config} --out dataset")


@data.command()
@click.option(
    "--users", type=click.IntRange(1, 2_000_000_000), required=True, help="Users, each with an event or more."
)
@click.option("--items", type=click.IntRange(1, 2_000_000_000), required=True, help="Items of the catalogue.")
@click.option("--events", type=click.IntRange(1), required=True, help="Events of all users together.")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Another seed, another shop.")
@out_option("folder")
@force_option
@json_option
def generate(users: int, items: int, events: int, seed: int, out: Path, force: bool, as_json: bool) -> None:
    """Make up a shop of any size, to measure with: events, items with texts, and a dataset.toml for them.

    Popularity and lengths of histories are skewed, users have interests, and what follows what can be learned;
    engine_runtime/data/world.py describes the model. The same seed gives the same bytes.

    \b
    Example:
      engine data generate --users 1000000 --items 200000 --events 20000000 --seed 1 --out raw
      engine data ingest --config raw/dataset.toml --out dataset
    """
    from engine_runtime.data.generate import generate as make_up
    from engine_runtime.data.world import World

    world = World(users, items, events, seed)
    with console.progress("generate", events, "events") as advance:
        config = make_up(world, out, replace=force, advance=advance)
    size = sum(path.stat().st_size for path in out.rglob("*.parquet"))
    if as_json:
        made = {"users": users, "items": items, "events": events, "seed": seed}
        console.emit(made | {"bytes": size, "config": str(config)})
        return
    click.echo(f"{events:,} events of {users:,} users and {items:,} items are in {out}, {size / 1e6:,.0f} MB.")
    click.echo(f"Next: engine data ingest --config {config} --out dataset")


@data.command()
@click.option("--config", type=EXISTING, required=True, help="The dataset.toml that says which column is what.")
@click.option("--events", type=EXISTING, multiple=True, help="File or folder of events; may be given several times.")
@click.option("--items", type=EXISTING, multiple=True, help="File or folder of items; may be given several times.")
@click.option("--users", type=EXISTING, multiple=True, help="File or folder of users; may be given several times.")
@out_option("data set")
@click.option("--buckets", type=click.IntRange(1, 9999), default=None, help="Parts to spread the users over.")
@click.option("--memory", default="2GB", show_default=True, help="Memory to stay within; beyond it, disk is used.")
@threads_option
@click.option(
    "--on-error",
    type=click.Choice(["keep", "fail"]),
    default="keep",
    show_default=True,
    help="Whether refused rows are kept aside in the rejects, or stop the run.",
)
@force_option
@json_option
def ingest(
    config: Path,
    events: tuple[Path, ...],
    items: tuple[Path, ...],
    users: tuple[Path, ...],
    out: Path,
    buckets: int | None,
    memory: str,
    threads: int | None,
    on_error: Literal["keep", "fail"],
    force: bool,
    as_json: bool,
) -> None:
    """Make a data set from files of events, items and users: CSV, TSV, JSON Lines or Parquet.

    Files may be named in the section [files] of the dataset.toml as well; options go before them.

    \b
    Example:
      engine data ingest --config raw/dataset.toml --out dataset
      engine data ingest --config shop.toml --events logs/ --items items.jsonl.gz --out dataset
    """
    from engine_runtime.data.ingest import find_sources
    from engine_runtime.data.ingest import ingest as make_dataset

    settings = load_config(config)
    if buckets is not None:
        settings = msgspec.structs.replace(settings, ingest=IngestConfig(buckets=buckets))
    paths = _paths(settings, config.parent, events, items, users)
    total = find_sources(settings, *paths).size
    with console.progress("ingest", total, "bytes") as advance:
        dataset = make_dataset(
            settings,
            *paths,
            out,
            replace=force,
            on_error=on_error,
            memory=memory,
            threads=threads,
            report=advance,
        )
    summary = summarise(dataset)
    if as_json:
        console.emit(summary)
    else:
        show(summary)


def _paths(
    config: DatasetConfig, folder: Path, events: Sequence[Path], items: Sequence[Path], users: Sequence[Path]
) -> tuple[list[Path], list[Path], list[Path]]:
    """Paths of each kind: those of the options, or else those of the configuration."""
    named = (config.files.events, config.files.items, config.files.users)
    chosen = [
        list(given) or [folder / name for name in names]
        for given, names in zip((events, items, users), named, strict=True)
    ]
    return chosen[0], chosen[1], chosen[2]


def summarise(dataset: Dataset) -> dict[str, Any]:
    """Return what a data set holds and what was refused, as JSON knows it."""
    info = dataset.info
    with pq.ParquetFile(dataset.rejects) as rejects:
        first = next(rejects.iter_batches(SHOWN_REJECTS, columns=[FILE, LINE, REASON]), None)
    return {
        "dataset": str(dataset.root),
        "name": info.name,
        "users": info.n_users,
        "items": info.n_items,
        "events": info.n_events,
        "events_ordered": info.n_ordered,
        "events_repeated": info.n_duplicates,
        "items_with_events": info.n_items_with_events,
        "items_without_text": info.n_items_without_text,
        "buckets": info.n_buckets,
        "rejects": {
            "rows": info.n_rejects,
            "reasons": count_reasons(dataset),
            "first": first.to_pylist() if first else [],
        },
    }


LABELS = {
    "users": "users",
    "items": "items",
    "items_with_events": "items with events",
    "items_without_text": "items without text",
    "events": "events",
    "events_ordered": "events in known order",
    "events_repeated": "exact repeats dropped",
    "buckets": "buckets",
}


def show(summary: dict[str, Any]) -> None:
    """Print what `summarise` says, for people."""
    rejects = summary["rejects"]
    rows = [[label, f"{summary[key]:,}"] for key, label in LABELS.items()]
    console.table(
        f"{summary['name']} in {summary['dataset']}",
        ["", "count"],
        [*rows, ["rejects", f"{rejects['rows']:,}"]],
    )
    if not rejects["rows"]:
        return
    reasons = list(rejects["reasons"].items())
    console.table("Rows refused", ["reason", "rows"], [[name, f"{n:,}"] for name, n in reasons[:SHOWN_REASONS]])
    if len(reasons) > SHOWN_REASONS:
        click.echo(f"and {len(reasons) - SHOWN_REASONS} more reasons")
    click.echo("The first of them (all are in rejects.parquet):")
    for reject in rejects["first"]:
        click.echo(f"  {reject[FILE]}:{reject[LINE]}: {reject[REASON]}")
