"""`engine explain`."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from engine_runtime.commands.console import emit, note
from engine_runtime.commands.options import EXISTING_DIRECTORY, json_option, overlay_option, precision_option
from engine_runtime.errors import UsageError
from engine_runtime.profile.phrases import PHRASES

if TYPE_CHECKING:
    from engine_runtime.profile.explanation import Explanation
    from engine_runtime.serve.portrait import Portrait

EVENTS_OF_AN_INTEREST = 3
LEAST_INTEREST = 0.01


@click.command(short_help="Why users' profiles and recommendations are what they are.")
@click.argument("users", nargs=-1, metavar="[USER]...")
@click.option("--bundle", type=EXISTING_DIRECTORY, required=True, help="From `engine build` or `engine export`.")
@click.option("--index", "index_path", type=EXISTING_DIRECTORY, required=True, help="From `engine index`.")
@click.option("--events", type=EXISTING_DIRECTORY, required=True, help="The data set that holds the users.")
@click.option("--sample", type=click.IntRange(1, 1000), help="Explain so many users drawn at random, not named ones.")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Of the draw.")
@click.option("--item", "items", multiple=True, help="Explain this item, an id; may be given again. Else the best.")
@click.option("--top", type=click.IntRange(1, 100), default=3, show_default=True, help="How many of the best items.")
@click.option(
    "--without",
    type=click.IntRange(min=1),
    help="The event to imagine away, 1 the oldest; else the top one.",
)
@click.option(
    "--html",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the profile as a page for the people it is about: one file.",
)
@click.option(
    "--language",
    type=click.Choice(list(PHRASES)),
    default="en",
    show_default=True,
    help="Of the page and of sentences.",
)
@overlay_option
@precision_option
@json_option
def explain(
    users: tuple[str, ...],
    bundle: Path,
    index_path: Path,
    events: Path,
    sample: int | None,
    seed: int,
    items: tuple[str, ...],
    top: int,
    without: int | None,
    html: Path | None,
    language: str,
    overlay: Path | None,
    precision: str,
    as_json: bool,
) -> None:
    """Say which events made the interests of each USER, an id of the data set, and why items are recommended.

    Shares sum to weights and scores. The JSON has all of them; for people the largest are said. With --sample or
    several users the JSON is a list. docs/explain.md says how to read the page that --html writes.

    \b
    Example:
      engine explain 405 --bundle bundle --index index --events dataset
      engine explain 405 --bundle bundle --index index --events dataset --html profile.html --language zh
      engine explain --sample 20 --seed 7 --bundle bundle --index index --events dataset --html sample.html
    """
    from engine_runtime.artefacts.dataset import Dataset
    from engine_runtime.artefacts.overlay import read_overlay
    from engine_runtime.serve.engine import Engine
    from engine_runtime.serve.explain import explain_user
    from engine_runtime.serve.portrait import portray
    from engine_runtime.serve.sample import sample_users

    if bool(users) == (sample is not None):
        raise UsageError("name users, or ask for --sample N of them: one of the two.")
    engine, dataset = Engine.load(bundle, index_path, precision), Dataset.open(events)
    said = read_overlay(overlay) if overlay else None
    chosen = list(dict.fromkeys(users)) if sample is None else sample_users(dataset, sample, seed)
    found = [explain_user(engine, dataset, user, list(items) or None, top, without, said) for user in chosen]
    if html is not None:
        people = [(portray(engine, dataset, explanation.user_id, overlay=said), explanation) for explanation in found]
        _write(html, people, language)
    if as_json:
        documents = [dataclasses.asdict(explanation) for explanation in found]
        emit(documents[0] if len(users) == 1 else documents)
    elif html is None:
        click.echo("\n\n".join(render(explanation, language) for explanation in found))


def _write(path: Path, found: Sequence[tuple[Portrait, Explanation]], language: str) -> None:
    """Write the page of users, served and explained."""
    from engine_runtime.page.document import page
    from engine_runtime.page.person import Person

    people = [
        Person(portrait.row, portrait.written(language), portrait.currency, explanation)
        for portrait, explanation in found
    ]
    path.write_text(page(people, language), encoding="utf-8")
    counted = "1 profile" if len(people) == 1 else f"{len(people):,} profiles"
    note(f"{path}: {counted}, {path.stat().st_size / 1024:,.0f} KiB")


def render(explanation: Explanation, language: str = "en") -> str:
    """The explanation as a person reads it."""
    from engine_runtime.profile.because import sentences

    called = {event.place: f"event {event.place}, {event.title}" for event in explanation.events}
    lines = [click.style(f"user {explanation.user_id}", bold=True), f"  {explanation.n_events} events"]
    lines += ["", click.style("interests", bold=True)]
    for interest in explanation.interests:
        if interest.weight < LEAST_INTEREST:
            break
        lines.append(f"  {interest.weight:6.1%}  {interest.name}")
        lines += [
            f"     {part.weight / interest.weight:6.1%} of it from {called[part.place]}"
            for part in interest.events[:EVENTS_OF_AN_INTEREST]
            if part.weight
        ]
        if interest.stated:
            lines.append(f"     {interest.stated / interest.weight:6.1%} of it stated by the user")
    lines += ["", click.style("recommended", bold=True)]
    for reason in explanation.items:
        place = "  -  " if reason.place is None else f"  {reason.place:3d}."
        lines.append(f"{place} {reason.title}  ({reason.score:.4f})")
        lines += [f"       {sentence}" for sentence in sentences(explanation, reason, language=language)]
    return "\n".join(lines)
