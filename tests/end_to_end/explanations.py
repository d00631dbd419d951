"""Hold explanations of real users against what was served: ``make explanations``.

Prints the largest remainders of interests and scores, how often leaving out the event of the largest share lowers the
score of a user's best item by more than leaving out another of their events, drawn at random, and what the scores of
best items are made of, on average.
"""

from __future__ import annotations

import argparse
from collections import Counter
from dataclasses import dataclass, field, replace
from pathlib import Path

import click
import numpy as np

from engine_runtime.artefacts.dataset import Dataset
from engine_runtime.data.histories import Histories
from engine_runtime.data.stored import read_histories
from engine_runtime.serve.attribution import Attribution
from engine_runtime.serve.bucket import Source, adapt
from engine_runtime.serve.engine import Engine, Profiles

TOP = 10


@dataclass
class Found:
    """What the users so far have shown."""

    interests: float = 0.0
    scores: float = 0.0
    events: float = 0.0
    won: int = 0
    compared: int = 0
    parts: Counter[str] = field(default_factory=Counter)


def check(source: Source, histories: Histories, users: np.ndarray, generator: np.random.Generator) -> Found:
    """Explain the best items of some users."""
    engine, found = source.engine, Found()
    for user in users:
        own = histories.take([user])
        profiles = engine.profile(replace(own, items=source.numbers[own.items]))
        ranking = engine.recommend(profiles, TOP)
        served = ranking.scores[0][ranking.items[0] >= 0]
        made = engine.explain(profiles, ranking.items[0][: len(served)])
        _measure(found, profiles, made, served)
        found.parts.update(_parts(made))
        if (larger := _larger(made, generator)) is not None:
            found.compared += 1
            found.won += larger
    return found


def _measure(found: Found, profiles: Profiles, made: Attribution, served: np.ndarray) -> None:
    whole = made.events.sum(axis=1) + made.norm + made.new_item + made.popular
    found.interests = max(found.interests, float(np.abs(made.interests.sum(axis=0) - profiles.concepts[0]).max()))
    found.scores = max(found.scores, float(np.abs(made.scores - served).max(initial=0)))
    found.events = max(found.events, float(np.abs(whole - served).max(initial=0)))


def _parts(made: Attribution) -> dict[str, float]:
    """What the best item's score is made of, in parts of its sum."""
    if not len(made.items):
        return {}
    parts = {
        "interests": made.concepts[0].sum(),
        "newest state": made.state[0],
        "texts": made.event_texts[0].sum(),
        "successions": made.event_successors[0].sum(),
        "the rest": made.norm[0] + made.new_item[0] + made.popular[0],
    }
    return {name: float(part / made.scores[0]) for name, part in parts.items()}


def _larger(made: Attribution, generator: np.random.Generator) -> bool | None:
    """Whether the best item falls further without its event of the largest share than without another."""
    if len(made.read) < 2 or not len(made.items):
        return None
    first = made.read[np.argmax(made.events[0, made.read])]
    other = generator.choice(made.read[made.read != first])
    return bool(made.effects[0, first] > made.effects[0, other])


def main() -> None:
    """Check one bundle with its index and data set."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bundle", type=Path, required=True)
    parser.add_argument("--index", type=Path, required=True)
    parser.add_argument("--events", type=Path, required=True)
    parser.add_argument("--users", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    dataset = Dataset.open(options.events)
    source = adapt(Engine.load(options.bundle, options.index), dataset)
    generator = np.random.default_rng(options.seed)
    users = generator.choice(dataset.info.n_users, min(options.users, dataset.info.n_users), replace=False)
    found = check(source, read_histories(dataset), users, generator)
    click.echo(f"{len(users):,} users of {options.events}, {source.engine.precision}, their best {TOP} items")
    click.echo(f"  interests less the sum of events  {found.interests:.1e}")
    click.echo(f"  scores less the sum of parts      {found.scores:.1e}")
    click.echo(f"  scores less the sum of events     {found.events:.1e}")
    click.echo(f"  top event lowers more than another {found.won / max(1, found.compared):.1%} of {found.compared:,}")
    parts = ", ".join(f"{name} {part / len(users):.0%}" for name, part in found.parts.items())
    click.echo(f"  best items' scores on average     {parts}")


if __name__ == "__main__":
    main()
