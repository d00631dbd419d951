"""How good concepts are: what items a concept gathers, and whether a user's profile is the user's own.

Knows arrays, a run and a corpus; knows nothing of how a table looks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import msgspec
import numpy as np
import numpy.typing as npt
import torch

from engine_models.concepts import closeness, labels, spherical_kmeans
from engine_models.corpus import Corpus, events_of
from engine_models.model import load_model
from engine_models.queries import last_profiles
from engine_models.systems import learned_vectors
from engine_runtime.artefacts.run import Run

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]
LEAST_EVENTS = 4
"""A user needs two events in each half."""
SAME = 0.99
"""Centres with a greater cosine have fallen together."""


@dataclass(frozen=True)
class Purity:
    """Share of items whose category is the commonest of their group, for three ways to group them.

    Attributes
    ----------
    concepts
        By the nearest concept.
    random
        By chance, in groups of the same sizes.
    kmeans
        By spherical k-means on whitened texts, as many groups.
    """

    concepts: float
    random: float
    kmeans: float


@dataclass(frozen=True)
class Stability:
    """Mean cosine between profiles from odd and from even events.

    Attributes
    ----------
    users
        Those with enough events.
    same, other
        Of one user, and of a user and another one drawn at random.
    nearer
        Share of users whose other half is nearer than the other user's.
    """

    users: int
    same: float
    other: float
    nearer: float


@dataclass(frozen=True)
class ConceptReport:
    """All of it.

    Attributes
    ----------
    n_concepts, n_merged, n_empty
        Concepts; those whose centre lies on an earlier one's; those that are no item's nearest.
    leaf, top
        Purity by the innermost level of categories, and by the outermost that is not the same for all; None where items
        have none.
    stability
        None where no user has enough events.
    shown
        Some concepts by name, each with the titles of its nearest items.
    """

    n_concepts: int
    n_merged: int
    n_empty: int
    leaf: Purity | None
    top: Purity | None
    stability: Stability | None
    shown: dict[str, list[str]]


def judge_concepts(run: Run, corpus: Corpus, *, n_shown: int = 20, n_items: int = 5, seed: int = 0) -> ConceptReport:
    """Judge the concepts of a run.

    Parameters
    ----------
    run, corpus
        The run, and the data set that it was trained on.
    n_shown, n_items
        Concepts shown, drawn at random, and items of each.
    seed
        Of all that is drawn.
    """
    generator = np.random.default_rng(seed)
    centres = load_model(run).concepts.numpy()
    directions = np.load(run.vectors, allow_pickle=False)[corpus.rankable, run.info.shape.dim :]
    near = closeness(centres, directions)
    group = near.argmax(0)
    described = corpus.described()
    clustered = (directions @ spherical_kmeans(directions, len(centres), generator).T).argmax(1)
    leaves = [next(iter(labels(category)), None) for category in described.categories]
    names = [concept["name"] for concept in msgspec.json.decode(run.concepts.read_bytes())]
    drawn = generator.choice(len(names), min(n_shown, len(names)), replace=False)
    return ConceptReport(
        n_concepts=len(centres),
        n_merged=_merged(centres),
        n_empty=len(centres) - len(np.unique(group)),
        leaf=purities(leaves, group, clustered, generator),
        top=purities(outermost(described.categories), group, clustered, generator),
        stability=stability(run, corpus, generator),
        shown={
            names[one]: [described.titles[item] for item in np.argsort(-near[one])[:n_items]] for one in sorted(drawn)
        },
    )


def outermost(categories: Sequence[str | None]) -> list[str | None]:
    """The first label of the outermost level of each category, below the levels that all have in common."""
    paths = [category.split(" > ") if category else [] for category in categories]
    depth = 0
    while len({tuple(path[: depth + 1]) for path in paths if path}) == 1 and all(
        len(path) > depth + 1 for path in paths if path
    ):
        depth += 1
    return [next(iter(labels(path[depth])), None) if path else None for path in paths]


def purities(
    categories: Sequence[str | None], group: Ints, clustered: Ints, generator: np.random.Generator
) -> Purity | None:
    """Purity of a grouping of items beside its rivals; None where no item has a category."""
    known = np.array([category is not None for category in categories])
    if not known.any():
        return None
    kinds = np.unique([category for category in categories if category is not None], return_inverse=True)[1]
    found = group[known]
    return Purity(
        concepts=purity(kinds, found),
        random=purity(kinds, generator.permutation(found)),
        kmeans=purity(kinds, clustered[known]),
    )


def purity(kinds: Ints, group: Ints) -> float:
    """Share of items of the commonest kind of their group, from kind and group of each, int64 [items]."""
    counts = np.zeros((int(group.max()) + 1, int(kinds.max()) + 1), np.int64)
    np.add.at(counts, (group, kinds), 1)
    return float(counts.max(1).sum() / len(kinds))


def stability(run: Run, corpus: Corpus, generator: np.random.Generator) -> Stability | None:
    """Whether the profile from a user's odd events is that from the even ones; None without users to ask."""
    lengths = corpus.split.histories.lengths
    asked = np.flatnonzero(lengths >= LEAST_EVENTS)
    if len(asked) < 2:
        return None
    odd, even = (_half_profiles(run, corpus, asked, parity) for parity in (0, 1))
    step = int(generator.integers(1, len(asked)))
    other = np.roll(even, step, axis=0)  # nobody meets themselves
    same, apart = _cosines(odd, even), _cosines(odd, other)
    return Stability(len(asked), float(same.mean()), float(apart.mean()), float((same > apart).mean()))


def _half_profiles(run: Run, corpus: Corpus, users: Ints, parity: int) -> Floats:
    """z_u of every second event of some users: float32 [users, C]."""
    split, histories = corpus.split, corpus.split.histories
    place = np.arange(histories.n_events) - np.repeat(histories.offsets[:-1], histories.lengths)
    kept = place % 2 == parity
    half = replace(split, histories=histories.where(kept), is_target=split.is_target[kept])
    model = load_model(run).refiner
    vectors = torch.from_numpy(learned_vectors(run))
    events = events_of(half, run.info.value, run.info.gap, torch.device("cpu"))
    offsets = half.histories.offsets
    return np.asarray(last_profiles(model, vectors, events, offsets[users], offsets[users + 1]).numpy(), np.float32)


def _cosines(one: Floats, other: Floats) -> Floats:
    norms = np.linalg.norm(one, axis=1) * np.linalg.norm(other, axis=1)
    return np.asarray((one * other).sum(1) / np.maximum(norms, 1e-12), np.float32)


def _merged(centres: Floats) -> int:
    unit = centres / np.maximum(np.linalg.norm(centres, axis=1, keepdims=True), 1e-12)
    return int((np.tril(unit @ unit.T, -1) > SAME).any(1).sum())
