"""`engine audit`."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import click
import msgspec

from engine_models.audit.figures import Figure
from engine_models.audit.report import Audit
from engine_models.audit.report import audit as attack
from engine_runtime.artefacts.dataset import Dataset
from engine_runtime.artefacts.keys import read_key
from engine_runtime.commands.console import emit, note, table
from engine_runtime.commands.options import EXISTING_DIRECTORY, json_option, precision_option
from engine_runtime.errors import UsageError
from engine_runtime.serve.engine import Engine

TITLES = {
    "attributes": "attributes: are they told by the vectors of users whom the probe has not learned from?",
    "texts": "texts: do the vectors lead back to texts of the user's items? (what users wrote is not looked at)",
    "membership": "membership: does the model know the user, and is the user's row found?",
    "groups": "small groups, and what can simply be read",
}
FILE = click.Path(dir_okay=False, path_type=Path)
EXISTING_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command(short_help="Attack served profiles, and say what they leak.")
@click.argument("output", type=EXISTING_DIRECTORY)
@click.option("--events", type=EXISTING_DIRECTORY, required=True, help="The data set whose users were served.")
@click.option("--bundle", type=EXISTING_DIRECTORY, required=True, help="From `engine build` or `engine export`.")
@click.option("--index", type=EXISTING_DIRECTORY, help="The index that served; without it items are encoded anew.")
@click.option("--labels", default="", metavar="NAME,...", help="Attributes to look for; all of 2 to 20 values if none.")
@click.option("--key", type=EXISTING_FILE, help="File with the key of the pseudonyms, where ids are such.")
@click.option("--outsiders", type=EXISTING_DIRECTORY, help="A data set of like users who were not in the training.")
@click.option(
    "--users", type=click.IntRange(2), default=2000, show_default=True, help="Users asked for, drawn at random."
)
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Of all that is drawn.")
@precision_option
@json_option
@click.option("--out", type=FILE, help="File that the same JSON document goes to.")
def audit(
    output: Path,
    events: Path,
    bundle: Path,
    index: Path | None,
    labels: str,
    key: Path | None,
    outsiders: Path | None,
    users: int,
    seed: int,
    precision: str,
    as_json: bool,
    out: Path | None,
) -> None:
    """Attack OUTPUT, profiles of the users of --events, with what an attacker may have, and say what they leak.

    The attacker has the bundle, and a candidate's history or half of it. Each figure stands beside what chance gives,
    with its 95 % interval over users, and has a word: "like chance", "leaks" or "identifies". docs/audit.md says what
    each means, and what it can not say.

    \b
    Example:
      engine audit profiles --events dataset --bundle bundle --index index
      engine audit released --events dataset --bundle bundle --key key.bin --labels gender,age --out audit.json
    """
    found = attack(
        output,
        Engine.load(bundle, index, precision),
        Dataset.open(events),
        attributes=tuple(dict.fromkeys(name for part in labels.split(",") if (name := part.strip()))),
        key=read_key(key) if key is not None else None,
        outsiders=Dataset.open(outsiders) if outsiders is not None else None,
        most_users=users,
        seed=seed,
        report=note,
    )
    document = dataclasses.asdict(found)
    if out is not None:
        _write(document, out)
    if as_json:
        emit(document)
    else:
        _show(found)


def _show(found: Audit) -> None:
    for section, title in TITLES.items():
        figures = [figure for figure in found.figures if figure.section == section]
        if figures:
            columns = ("", "from", "measure", "found", "chance", "users" if section != "groups" else "of", "verdict")
            table(title, columns, [_row(figure) for figure in figures])
            told = dict.fromkeys(f"{figure.subject}: {figure.note}" for figure in figures if figure.note)
            click.echo("".join(f"  {line}\n" for line in told))
    click.echo(f"{found.n_users:,} users asked for, {found.n_matched:,} found among {found.n_rows:,} rows")


def _row(figure: Figure) -> tuple[str, ...]:
    if figure.value is None or figure.chance is None:
        return (figure.subject, figure.column, figure.measure, "", "", "", figure.verdict)
    if figure.low is None or figure.high is None:
        value, chance = f"{figure.value:,.0f}", f"{figure.chance:.0f}"
    else:
        value, chance = f"{figure.value:.3f} [{figure.low:.3f}, {figure.high:.3f}]", f"{figure.chance:.4g}"
    return (figure.subject, figure.column, figure.measure, value, chance, f"{figure.n:,}", figure.verdict)


def _write(document: dict[str, object], out: Path) -> None:
    try:
        out.write_bytes(msgspec.json.format(msgspec.json.encode(document), indent=1) + b"\n")
    except OSError as error:
        raise UsageError(f"the audit cannot be written to {out}: {error.strerror}. Choose another --out.") from error
