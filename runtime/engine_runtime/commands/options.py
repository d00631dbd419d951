"""Options that several commands share, each as one decorator."""

from __future__ import annotations

from pathlib import Path

import click

DIRECTORY = click.Path(file_okay=False, path_type=Path)
EXISTING = click.Path(exists=True, path_type=Path)
EXISTING_DIRECTORY = click.Path(exists=True, file_okay=False, path_type=Path)

json_option = click.option("--json", "as_json", is_flag=True, help="Print the result as one JSON document on stdout.")
force_option = click.option("--force", is_flag=True, help="Replace an artefact of the same kind that is there.")
threads_option = click.option(
    "--threads", type=click.IntRange(min=1), default=None, help="CPU threads; all that this process may use if not given."
)
precision_option = click.option(
    "--precision", default="auto", show_default=True, help="Variant of the bundle: auto, int8, fp32 or fp16."
)


def out_option(what: str) -> click.decorators.FC:
    """Option ``--out`` for the directory of `what`."""
    return click.option("--out", type=DIRECTORY, required=True, help=f"Where the {what} goes.")
