"""`engine recommend`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from engine_runtime.commands.console import emit
from engine_runtime.commands.options import EXISTING_DIRECTORY, json_option, overlay_option, precision_option
from engine_runtime.profile.phrases import PHRASES

if TYPE_CHECKING:
    from engine_runtime.serve.portrait import Portrait


@click.command(short_help="One user's profile and recommendations.")
@click.argument("user")
@click.option("--bundle", type=EXISTING_DIRECTORY, required=True, help="From `engine build` or `engine export`.")
@click.option("--index", "index_path", type=EXISTING_DIRECTORY, required=True, help="From `engine index`.")
@click.option("--events", type=EXISTING_DIRECTORY, required=True, help="The data set that holds the user.")
@click.option("--top-k", type=click.IntRange(1, 1000), default=10, show_default=True, help="Recommendations.")
@click.option("--language", type=click.Choice(list(PHRASES)), help="Write the profile in sentences of this language.")
@click.option(
    "--prompt",
    "as_prompt",
    is_flag=True,
    help="Print a prompt for a language model, in this language or English; none is called.",
)
@overlay_option
@precision_option
@json_option
def recommend(
    user: str,
    bundle: Path,
    index_path: Path,
    events: Path,
    top_k: int,
    language: str | None,
    as_prompt: bool,
    overlay: Path | None,
    precision: str,
    as_json: bool,
) -> None:
    """Show the profile and the recommendations of USER, an id of the data set.

    With --json, sentences and prompt stand under "written" and "prompt" beside the user's row.

    \b
    Example:
      engine recommend 405 --bundle bundle --index index --events dataset --language en
    """
    from engine_runtime.artefacts.dataset import Dataset
    from engine_runtime.artefacts.overlay import read_overlay
    from engine_runtime.serve.engine import Engine
    from engine_runtime.serve.portrait import portray

    engine = Engine.load(bundle, index_path, precision)
    corrected = read_overlay(overlay) if overlay else None
    portrait = portray(engine, Dataset.open(events), user, top_k, corrected)
    sentences = portrait.written(language) if language else None
    asked = portrait.prompt(language or "en") if as_prompt else None
    if as_json:
        as_of = portrait.row["as_of"]
        added = {"written": sentences, "prompt": asked}
        said = {name: value for name, value in added.items() if value is not None}
        emit(portrait.row | {"as_of": as_of and as_of.isoformat()} | said)
    else:
        click.echo(asked or render(portrait, sentences))


def render(portrait: Portrait, sentences: list[str] | None = None) -> str:
    """The portrait as a person reads it; `sentences`, where given, stand for the table above the lists."""
    row = portrait.row
    table = [*_basics(row), *_habits(row), *_spending(row, portrait.currency)]
    lines = [click.style(f"user {row['user_id']}", bold=True)]
    lines += table if sentences is None else [f"  {sentence}" for sentence in sentences]
    lines += ["", click.style("interests", bold=True)]
    lines += [f"  {interest['weight']:6.1%}  {interest['name']}" for interest in row["interests"]]
    lines += ["", click.style("newest events", bold=True), *(f"  {title}" for title in portrait.newest)]
    lines += ["", click.style("recommended", bold=True)]
    lines += [
        f"  {place:3d}. {title}  ({recommended['score']:.4f})"
        for place, (title, recommended) in enumerate(zip(portrait.titles, row["recommendations"], strict=True), 1)
    ]
    return "\n".join(lines)


def _basics(row: dict[str, Any]) -> list[str]:
    lines = []
    if given := [f"{basic['name']} {basic['value']}" for basic in row["basics"] if basic["probability"] is None]:
        lines.append(f"  {', '.join(given)}")
    guesses = [
        f"{basic['name']} {basic['value']} ({basic['probability']:.0%})"
        for basic in row["basics"]
        if basic["probability"] is not None
    ]
    return [*lines, f"  predicted: {', '.join(guesses)}"] if guesses else lines


def _habits(row: dict[str, Any]) -> list[str]:
    habits = row["habits"]
    types = ", ".join(f"{kind['type']} {kind['share']:.0%}" for kind in habits["types"])
    lines = [f"  {row['n_events']} events: {types}" if types else "  no events: what is popular is shown"]
    if habits["days_since_last"] is None:
        return lines
    days = ("Mondays", "Tuesdays", "Wednesdays", "Thursdays", "Fridays", "Saturdays", "Sundays")
    hour = max(range(24), key=lambda candidate: habits["hours"][candidate])
    day = days[max(range(7), key=lambda candidate: habits["weekdays"][candidate])]
    rate = f"{habits['events_per_week']:.1f} events a week"
    last = f"the last {habits['days_since_last']:.0f} days before {row['as_of']:%d %B %Y}"
    return [*lines, f"  {rate}, {last}; mostly on {day}, around {hour}:00 UTC"]


def _spending(row: dict[str, Any], currency: str) -> list[str]:
    spending = row["spending"]
    if spending is None:
        return []
    bands = ", ".join(f"{band['band']} {band['share']:.0%}" for band in spending["price_bands"])
    brands = ", ".join(f"{brand['brand']} {brand['share']:.0%}" for brand in spending["brands"])
    parts = [f"  spent {spending['total']:,.2f} {currency}".rstrip() + f" on {spending['quantity']:,.0f} units"]
    parts += [f"  prices: {bands}"] if bands else []
    return parts + ([f"  brands: {brands}"] if brands else [])
