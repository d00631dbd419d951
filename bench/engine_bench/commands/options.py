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


def numbers(option: str, given: str) -> list[int]:
    """Numbers from an option that takes several, separated by commas; there may be none.

    Raises
    ------
    UsageError
        One is no number, or below 1.
    """
    from engine_runtime.errors import UsageError

    try:
        found = [int(number) for number in given.split(",") if number.strip()]
    except ValueError:
        found = [0]
    if any(number < 1 for number in found):
        raise UsageError(f"{option} takes numbers such as 12101,1000000, not '{given}'.")
    return found
