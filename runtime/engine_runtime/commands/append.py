"""`engine data append`."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import click

from engine_runtime.commands import console
from engine_runtime.commands.options import (
    EXISTING,
    EXISTING_DIRECTORY,
    force_option,
    json_option,
    out_option,
    threads_option,
)


@click.command()
@click.argument("dataset", type=EXISTING_DIRECTORY)
@click.option(
    "--events", type=EXISTING, multiple=True, help="File or folder of later events; may be given several times."
)
@click.option("--items", type=EXISTING, multiple=True, help="File or folder of new items; may be given several times.")
@click.option("--users", type=EXISTING, multiple=True, help="File or folder of new or changed users.")
@click.option(
    "--config", type=EXISTING, help="The dataset.toml of these files, to see that it still is that of DATASET."
)
@out_option("data set")
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
def append(
    dataset: Path,
    events: tuple[Path, ...],
    items: tuple[Path, ...],
    users: tuple[Path, ...],
    config: Path | None,
    out: Path,
    memory: str,
    threads: int | None,
    on_error: Literal["keep", "fail"],
    force: bool,
    as_json: bool,
) -> None:
    """Join a day's files to DATASET: a new data set, the same byte for byte as if all had been ingested together.

    The files are read as the configuration says that DATASET was made with. Events of users who are there join their
    histories; a row of a user who is there replaces the attributes. DATASET stays as it is.

    \b
    Example:
      engine data append dataset --events today.csv --out dataset.new
      engine data append monday --events tuesday.csv --items new-items.jsonl --users changed.csv --out tuesday
    """
    from engine_runtime.artefacts.dataset import Dataset
    from engine_runtime.commands.data import show, summarise
    from engine_runtime.data.append import agreed_config, find_later
    from engine_runtime.data.append import append as join_files
    from engine_runtime.data.config_file import load_config

    opened = Dataset.open(dataset)
    settings = agreed_config(opened, load_config(config) if config else None)
    later = find_later(settings, events, items, users)
    with console.progress("append", later.size, "bytes") as advance:
        made = join_files(
            opened,
            settings,
            later,
            out,
            replace=force,
            on_error=on_error,
            memory=memory,
            threads=threads,
            report=advance,
        )
    summary = summarise(made)
    if as_json:
        console.emit(summary)
    else:
        show(summary)
