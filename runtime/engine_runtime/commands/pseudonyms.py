"""`engine pseudonyms`: the keys of pseudonyms, and the way from one key to another."""

from __future__ import annotations

from pathlib import Path

import click

from engine_runtime.commands.console import emit
from engine_runtime.commands.options import EXISTING, EXISTING_DIRECTORY, json_option
from engine_runtime.errors import UsageError

FILE = click.Path(dir_okay=False, path_type=Path)


@click.group()
def pseudonyms() -> None:
    """Make keys of pseudonyms, and go from one key to another.

    \b
    Example:
      engine pseudonyms new-key partner.key
      engine pseudonyms map profiles --key partner.key --to-key next.key --out map.parquet
    """


@pseudonyms.command("new-key")
@click.argument("file", type=FILE)
@json_option
def new_key(file: Path, as_json: bool) -> None:
    """Write a new key to FILE, which its owner alone may read. Keep it outside of what is given away.

    \b
    Example:
      engine pseudonyms new-key partner.key
    """
    from engine_runtime.artefacts.keys import KEY_BYTES, make_key

    make_key(file)
    if as_json:
        emit({"key": str(file), "bytes": KEY_BYTES})
        return
    click.echo(f"a key of {KEY_BYTES} random bytes is in {file}. Who has it can tell who a pseudonym is.")


@pseudonyms.command("map")
@click.argument("output", type=EXISTING_DIRECTORY)
@click.option("--key", type=EXISTING, required=True, help="The key of before.")
@click.option("--to-key", type=EXISTING, required=True, help="The key from now on.")
@click.option("--out", type=FILE, required=True, help="Where the map goes, a Parquet file.")
@click.option("--force", is_flag=True, help="Replace a file that is there.")
@json_option
def map_pseudonyms(output: Path, key: Path, to_key: Path, out: Path, force: bool, as_json: bool) -> None:
    """Say which pseudonym of a new key stands for which of the old one, for the users of OUTPUT.

    To change a key, release OUTPUT again with the new one. The map is for who has to carry on under the new names;
    who has it can join both releases.

    \b
    Example:
      engine pseudonyms map profiles --key partner.key --to-key next.key --out map.parquet
    """
    from engine_runtime.artefacts.keys import read_key
    from engine_runtime.artefacts.output import Output
    from engine_runtime.serve.releasing import pseudonym_map

    if out.exists() and not force:
        raise UsageError(f"{out} exists already. Name another file, or add --force to replace it.")
    count = pseudonym_map(Output.open(output), read_key(key), read_key(to_key), out)
    if as_json:
        emit({"map": str(out), "users": count})
        return
    click.echo(f"{count:,} pseudonyms are in {out}")
