"""Options that commands of `engine bench` share."""

from __future__ import annotations

from pathlib import Path

import click

from engine_runtime.commands.options import EXISTING_DIRECTORY

encoder_option = click.option("--encoder", type=EXISTING_DIRECTORY, required=True, help="The exported encoder.")
dataset_option = click.option(
    "--dataset", type=EXISTING_DIRECTORY, required=True, help="Data set whose item texts are encoded."
)
texts_option = click.option(
    "--texts", type=click.IntRange(min=1), default=None, help="Encode so many of the texts; all if not given."
)
rounds_option = click.option(
    "--rounds", type=click.IntRange(min=1), default=5, show_default=True, help="Rounds to run."
)
out_option = click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    default=None,
    help="JSON file for the result with all raw rounds.",
)
