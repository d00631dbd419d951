"""`engine explain`."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING

import click

from engine_runtime.commands.console import emit
from engine_runtime.commands.options import EXISTING_DIRECTORY, json_option, overlay_option, precision_option

if TYPE_CHECKING:
    from engine_runtime.profile.explanation import Explanation

EVENTS_OF_AN_INTEREST = 3
LEAST_INTEREST = 0.01


@click.command(short_help="Why a user's profile and recommendations are what they are.")
@click.argument("user")
@click.option("--bundle", type=EXISTING_DIRECTORY, required=True, help="From `engine build` or `engine export`.")
@click.option("--index", "index_path", type=EXISTING_DIRECTORY, required=True, help="From `engine index`.")
@click.option("--events", type=EXISTING_DIRECTORY, required=True, help="The data set that holds the user.")
@click.option("--item", "items", multiple=True, help="Explain this item, an id; may be given again. Else the best.")
@click.option("--top", type=click.IntRange(1, 100), default=3, show_default=True, help="How many of the best items.")
@click.option(
    "--without",
    type=click.IntRange(min=1),
    help="The event to imagine away, 1 the oldest; else the top one.",
)
@overlay_option
@precision_option
@json_option
def explain(
    user: str,
    bundle: Path,
    index_path: Path,
    events: Path,
    items: tuple[str, ...],
    top: int,
    without: int | None,
    overlay: Path | None,
    precision: str,
    as_json: bool,
) -> None:
    """Say which events made the interests of USER, an id of the data set, and why items are recommended.

    Shares sum to weights and scores. The JSON has all of them; for people the largest are said.

    \b
    Example:
      engine explain 405 --bundle bundle --index index --events dataset
    """
    from engine_runtime.artefacts.dataset import Dataset
    from engine_runtime.artefacts.overlay import read_overlay
    from engine_runtime.serve.engine import Engine
    from engine_runtime.serve.explain import explain_user

    engine = Engine.load(bundle, index_path, precision)
    said = read_overlay(overlay) if overlay else None
    explanation = explain_user(engine, Dataset.open(events), user, list(items) or None, top, without, said)
    if as_json:
        emit(dataclasses.asdict(explanation))
    else:
        click.echo(render(explanation))


def render(explanation: Explanation) -> str:
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
        lines += [f"       {sentence}" for sentence in sentences(explanation, reason)]
    return "\n".join(lines)
