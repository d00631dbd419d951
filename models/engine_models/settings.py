"""How to train: one recipe for all data sets; what depends on the data is derived from it.

Knows numbers alone. A run keeps the settings that it was trained with, derived ones included.
"""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass

from engine_models.ablation import parts_of
from engine_runtime.artefacts.run import RefinerShape
from engine_runtime.errors import UsageError

FULL_SOFTMAX_ITEMS = 20_000
WIDE_EVENTS = 64
WINDOWS = (200, 100)
LEAST_WINDOWS = 2000


@dataclass(frozen=True)
class TrainSettings:
    """Settings of a training; None is derived from the data.

    Attributes
    ----------
    seed
        Of weights, order and dropout.
    dim
        Width of vectors: 128 where an item has `WIDE_EVENTS` events or more, else 64.
    white_dim, n_blocks, n_heads
        Sizes of the model; see `engine_runtime.artefacts.run.RefinerShape`.
    max_events
        Newest events of a history that are read: 50, or 100 or 200 where the mean history fills half of them and
        `LEAST_WINDOWS` windows of that length are left to learn from.
    n_concepts
        Named concepts; one for about sixteen items, 16 to 256.
    dropout
        Of the refiner: .5 where there are 16 events an item or fewer, falling to .2 where there are 64.
    id_dropout
        Share of items whose residual is left out of a batch, which trains the path of new items.
    learning_rate
        Of Adam.
    profile_weight
        Of the loss of the profile alone, which has to tell the next item too: it makes interests mean something.
    average
        Decay of the moving average of the weights, from one step to the next.
    batch_events
        Most positions of a padded batch.
    negatives
        Items sampled for the softmax; 0 is the full softmax, the default up to 20,000 items.
    epochs
        Most passes over the data.
    patience
        Validations without a better one before training stops.
    validation_users
        Most users that a validation ranks for.
    minutes
        Wall time after which no further epoch starts; None for no limit.
    withhold
        Share of the items whose events training does not see, to measure how new items do.
    name_users
        Users who have an item in their history, at the least, for it to have a say in a concept's name.
    without
        Parts left out, with commas between them; see `engine_models.ablation`.
    """

    seed: int = 0
    dim: int | None = None
    white_dim: int = 128
    n_blocks: int = 2
    n_heads: int = 2
    max_events: int | None = None
    n_concepts: int | None = None
    dropout: float | None = None
    id_dropout: float = 0.1
    learning_rate: float = 1e-3
    profile_weight: float = 0.2
    average: float = 0.998
    batch_events: int = 1536
    negatives: int | None = None
    epochs: int = 200
    patience: int = 6
    validation_users: int = 10_000
    minutes: float | None = None
    withhold: float = 0.0
    name_users: int = 5
    without: str = ""


def derive(settings: TrainSettings, n_items: int, n_events: int, n_users: int) -> TrainSettings:
    """Fill in what depends on the data.

    Parameters
    ----------
    settings
        As the user gave them.
    n_items
        Items with events in the training part.
    n_events
        Events of the training part.
    n_users
        Users with such events.

    Raises
    ------
    UsageError
        What is to be left out cannot be.
    """
    density = math.log2(max(n_events, 1) / max(n_items, 1))
    derived: dict[str, float | int] = {}
    left_out = parts_of(settings.without)
    if "text" in left_out:
        derived["id_dropout"] = 0.0  # nothing would be left of an item
    if "decoder" in left_out:
        derived["profile_weight"] = 0.0
    if settings.dim is None:
        derived["dim"] = 128 if n_events >= WIDE_EVENTS * n_items else 64
    if settings.max_events is None:
        filled = (width for width in WINDOWS if n_events >= width * max(n_users / 2, LEAST_WINDOWS))
        derived["max_events"] = next(filled, 50)
    if settings.n_concepts is None:
        derived["n_concepts"] = min(max(n_items // 16, 16), 256)
    if settings.dropout is None:
        derived["dropout"] = round(min(max(0.5 - 0.15 * (density - 4), 0.2), 0.5), 3)
    if settings.negatives is None:
        derived["negatives"] = 0 if n_items <= FULL_SOFTMAX_ITEMS else 1024
    return dataclasses.replace(settings, **derived)  # type: ignore[arg-type]  # keys are fields, values of their types


def shape_of(settings: TrainSettings, text_dim: int, n_types: int) -> RefinerShape:
    """Sizes of the model that `settings`, derived, describe; raises `UsageError` where they do not go together."""
    if settings.n_concepts is None or settings.dim is None or settings.max_events is None:
        raise ValueError("settings have to be derived first")
    if settings.dim % settings.n_heads:
        raise UsageError(
            f"dim {settings.dim} is no multiple of the {settings.n_heads} attention heads. Choose another."
        )
    return RefinerShape(
        text_dim=text_dim,
        white_dim=min(settings.white_dim, text_dim),
        dim=settings.dim,
        n_blocks=settings.n_blocks,
        n_heads=settings.n_heads,
        max_events=settings.max_events,
        n_types=n_types,
        n_concepts=settings.n_concepts,
    )
