"""Options that several commands share, each as one decorator."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

Command = TypeVar("Command", bound=Callable[..., Any])

DIRECTORY = click.Path(file_okay=False, path_type=Path)
EXISTING = click.Path(exists=True, path_type=Path)
EXISTING_DIRECTORY = click.Path(exists=True, file_okay=False, path_type=Path)

json_option = click.option("--json", "as_json", is_flag=True, help="Print the result as one JSON document on stdout.")
force_option = click.option("--force", is_flag=True, help="Replace an artefact of the same kind that is there.")
threads_option = click.option(
    "--threads",
    type=click.IntRange(min=1),
    default=None,
    help="Worker threads; all CPUs that this process may use if not given.",
)
precision_option = click.option(
    "--precision", default="auto", show_default=True, help="Variant to run: auto, int8, fp16 (CUDA) or fp32."
)

provider_option = click.option(
    "--provider",
    type=click.Choice(["cpu", "cuda"]),
    default="cpu",
    show_default=True,
    help="Where the graphs run.",
)

cache_option = click.option(
    "--cache",
    type=DIRECTORY,
    help="Folder where vectors of texts are kept, so that a later run encodes new texts alone.",
)

overlay_option = click.option(
    "--overlay",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Corrections by users, from `engine correct`.",
)


def out_option(what: str) -> Callable[[Command], Command]:
    """Option ``--out`` for the directory of `what`."""
    return click.option("--out", type=DIRECTORY, required=True, help=f"Where the {what} goes.")
