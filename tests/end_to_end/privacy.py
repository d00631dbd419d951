"""What protection of released profiles does and costs on a real data set: ``make privacy``.

Prints how well an attribute of the users is told by a logistic probe, and by one that is not linear, from the released
vector (concepts and query) before and after its removal, with NDCG@10 of ranking with that query beside it; NDCG@10 of
ranking by noisy profiles for several epsilons; and how much of a stated epsilon a test proves to be spent. Profiles are
of histories without the last event, which is asked for, as `engine evaluate` does.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import get_args

import click
import numpy as np
import numpy.typing as npt
from scipy.special import softmax

from end_to_end.distinguishing import answers, audit, judge
from engine_models.corpus import Corpus, evenly, read_corpus
from engine_models.label_measures import auc, interval
from engine_models.logistic import Design, fit, loss
from engine_models.metrics import Estimate, estimate, per_user, places
from engine_models.split import until
from engine_runtime.artefacts.dataset import Dataset
from engine_runtime.data.stored import read_users
from engine_runtime.profile.contributions import profile_alone
from engine_runtime.profile.erasure import FOLDS as PARTS
from engine_runtime.profile.erasure import Moments, cross_fitted
from engine_runtime.profile.noise import Mechanism, gaussian_sigma, noisy
from engine_runtime.serve.engine import Engine, Profiles

Doubles = npt.NDArray[np.float64]
Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
Score = Callable[[slice], npt.NDArray[np.floating]]
"""Scores of all items for a block of users: [users of the block, items]."""

EPSILONS = (0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 64.0, math.inf)
AUDITED = (0.5, 1.0, 2.0, 4.0)
FOLDS = 5
DEALT = 1000
"""Added to a seed, so that probes deal users otherwise than erasure does."""
PENALTIES = (1.0, 1e-1, 1e-2, 1e-3)
WAVES = 500
BLOCK = 512


@dataclass(frozen=True)
class Asked:
    """Users whose last event is asked for.

    Attributes
    ----------
    engine, profiles
        Who answers, and profiles of the histories before that event.
    targets
        int32 [users]: the items.
    rows
        int64 [users]: the users' rows in the data set.
    """

    engine: Engine
    profiles: Profiles
    targets: npt.NDArray[np.int32]
    rows: Ints

    @property
    def vectors(self) -> Floats:
        """What is released: concepts and query side by side, float32 [users, C + d + w]."""
        return np.concatenate((self.profiles.concepts, self.profiles.query), axis=1)

    def ndcg(self, vectors: Floats | None = None) -> Doubles:
        """NDCG@10 of each user as served, with the query of other vectors in the place of their own."""
        profiles = self.profiles
        if vectors is not None:
            profiles = replace(profiles, query=np.ascontiguousarray(vectors[:, profiles.concepts.shape[1] :]))
        found = self.engine.recommend(profiles, 10).items
        return per_user(places(found, self.targets))["ndcg@10"]


def ask(engine: Engine, corpus: Corpus, most_users: int) -> Asked:
    """Profiles of users of whom an event is held out, chosen evenly."""
    split = corpus.split
    chosen = evenly(len(split.users), most_users)
    users, test = split.users[chosen], split.test[chosen]
    profiles = engine.profile(until(split.histories, users, test))
    return Asked(engine, profiles, split.histories.items[test], users)


def deal(count: int, parts: int, seed: int) -> Ints:
    """Users dealt into parts: int64 [count]."""
    return np.random.default_rng(seed).permutation(count) % parts


def probe(vectors: Floats, truth: Ints, seed: int, fold: Ints | None = None) -> Doubles:
    """Probabilities of each user's classes by probes that have not learned from their `fold`: float64 [users, K]."""
    fold = deal(len(truth), FOLDS, seed + DEALT) if fold is None else fold
    found, penalty = np.zeros((len(truth), truth.max() + 1)), None
    for left in range(fold.max() + 1):
        inside = fold != left
        spread = vectors[inside].std(0)
        scaled = (vectors - vectors[inside].mean(0)) / np.where(spread > 1e-9, spread, 1)
        design = Design([scaled.astype(np.float64)])
        if penalty is None:
            penalty = _penalty(design, truth, np.flatnonzero(inside), seed)
        logits = design.times(fit(design.rows(inside), truth[inside], found.shape[1], penalty))[~inside]
        found[~inside] = softmax(logits, axis=1)
    return found


def _penalty(design: Design, truth: Ints, users: Ints, seed: int) -> float:
    """The penalty of least loss on a fifth of the users, fitted on the others; the search ends where it rises."""
    held, learned = np.split(np.random.default_rng(seed + 1).permutation(users), [len(users) // 5])
    least, best, weights = np.inf, PENALTIES[0], None
    for penalty in PENALTIES:
        weights = fit(design.rows(learned), truth[learned], int(truth.max()) + 1, penalty, weights)
        reached = loss(design.rows(held).times(weights), truth[held])
        if reached >= least:
            break
        least, best = reached, penalty
    return best


def waves(vectors: Floats, seed: int) -> Floats:
    """Random Fourier features (Rahimi and Recht 2007) of standardised vectors, float32 [users, `WAVES`]."""
    generator = np.random.default_rng(seed)
    shown = (vectors - vectors.mean(0)) / np.maximum(vectors.std(0), 1e-9)
    width = math.sqrt(2 * shown.shape[1])
    angles = shown @ generator.normal(0, 1 / width, (shown.shape[1], WAVES)) + generator.uniform(0, 2 * np.pi, WAVES)
    return np.asarray(np.cos(angles), np.float32)


def erased(vectors: Floats, truth: Ints, fold: Ints) -> Floats:
    """Vectors without an attribute, as a release has them; -1 in `truth` where it is not known."""
    known, told = truth >= 0, np.eye(int(truth.max()) + 1)
    parts = [known & (fold == number) for number in range(PARTS)]
    maps = cross_fitted([Moments.of(vectors[part], told[truth[part]]) for part in parts])
    found = np.empty_like(vectors)
    for number, eraser in enumerate(maps):
        found[fold == number] = eraser(vectors[fold == number])
    return found


def show_removal(asked: Asked, label: str, values: Sequence[str | None], seed: int) -> None:
    """Print what removal of one attribute does."""
    known = np.array([value is not None for value in values])
    classes, truth = np.unique([value for value in values if value is not None], return_inverse=True)
    vectors, served = asked.vectors, asked.ndcg()
    click.echo(f"{label}: {len(classes)} values, {known.sum():,} users, vector of {vectors.shape[1]} numbers")
    _show_probe("  as served, linear probe", probe(vectors[known], truth, seed), truth, seed)
    _show_probe("  as served, probe that is not linear", probe(waves(vectors[known], seed), truth, seed), truth, seed)
    click.echo(f"  NDCG@10 as served {_said(estimate(served, seed))}")
    coded = np.full(len(vectors), -1)
    coded[known] = truth
    fold = deal(len(vectors), PARTS, seed)
    released = erased(vectors, coded, fold)
    removed = asked.ndcg(released)
    _show_probe("  removed, linear probe", probe(released[known], truth, seed), truth, seed)
    aligned = probe(released[known], truth, seed, fold[known])
    _show_probe("  removed, linear probe that learns of all folds but the user's", aligned, truth, seed)
    _show_probe("  removed, probe that is not linear", probe(waves(released[known], seed), truth, seed), truth, seed)
    change = estimate(removed - served, seed)
    relative = [100 * part / served.mean() for part in (change.mean, change.low, change.high)]
    click.echo(
        f"  NDCG@10 removed {_said(estimate(removed, seed))}, {relative[0]:+.1f} % "
        f"[{relative[1]:+.1f}, {relative[2]:+.1f}]"
    )


def _show_probe(name: str, found: Doubles, truth: Ints, seed: int) -> None:
    area = interval(auc, found, truth, seed)
    click.echo(f"{name:64} AUC {area.value:.3f} [{area.low:.3f}, {area.high:.3f}]")


def ranks(asked: Asked, score: Score, rankable: Bools, *, masked: bool) -> Doubles:
    """NDCG@10 of each user where all items are ranked by a score; `masked`, items of the history are left out."""
    histories, gains = asked.profiles.histories, np.zeros(len(asked.targets))
    for start in range(0, len(gains), BLOCK):
        block = slice(start, min(start + BLOCK, len(gains)))
        scores = np.where(rankable, score(block), -np.inf)
        own = scores[np.arange(len(scores)), asked.targets[block]].copy()
        if masked:
            first, stop = histories.offsets[[block.start, block.stop]]
            scores[histories.rows[first:stop] - start, histories.items[first:stop]] = -np.inf
        above = (scores > own[:, None]).sum(1)
        gains[block] = np.where(above < 10, 1 / np.log2(above + 2), 0)
    return gains


def _products(query: Floats, items: Floats, block: slice) -> Floats:
    return np.asarray(query[block] @ items)


def show_noise(asked: Asked, corpus: Corpus, delta: float, seed: int) -> None:
    """Print NDCG@10 of ranking by noisy profiles."""
    head, concepts, rankable = asked.engine.learned.query_head, asked.profiles.concepts, corpus.rankable
    items = asked.engine.shelf.vectors[: len(rankable)].T
    order = np.empty(len(rankable))
    order[np.argsort(-corpus.popularity, kind="stable")] = -np.arange(len(rankable))
    popular = [
        ranks(asked, lambda block: np.tile(order, (block.stop - block.start, 1)), rankable, masked=masked).mean()
        for masked in (False, True)
    ]
    click.echo(f"NDCG@10 of ranking by a noisy profile alone, all items / seen ones left out, delta {delta:g}")
    click.echo(f"  what is popular {popular[0]:.4f} / {popular[1]:.4f}; as served {asked.ndcg().mean():.4f}")
    for epsilon in EPSILONS:
        sigma = gaussian_sigma(epsilon, delta) if epsilon < math.inf else 0.0
        corners = np.eye(concepts.shape[1], dtype=np.float32)[concepts.argmax(1)]
        blurred = {"gaussian": concepts, "response": corners}  # without noise
        if epsilon < math.inf:
            blurred = {name: noisy(concepts, name, epsilon, sigma) for name in get_args(Mechanism)}
        cells = []
        for name, profiles in blurred.items():
            query = profile_alone(head, profiles)
            score = partial(_products, query, items)
            found = [estimate(ranks(asked, score, rankable, masked=masked), seed) for masked in (False, True)]
            cells.append(f"{name} {_said(found[0])} / {found[1].mean:.4f}")
        click.echo(f"  epsilon {epsilon:4g}, sigma {sigma:7.3f}: {', '.join(cells)}")


def show_audit(delta: float, count: int) -> None:
    """Print how much of what is stated is proved to be spent, and that too little noise is found."""
    click.echo(f"telling two corners of the simplex apart, {count:,} releases of each, delta {delta:g}, 95 % sure")
    for epsilon in AUDITED:
        sound, half = audit(epsilon, delta, count), audit(epsilon, delta, count, 0.5)
        told = judge(answers(epsilon, 8), epsilon, 0.0, count // 4)
        click.echo(
            f"  epsilon {epsilon:g}: gaussian spends at least {sound.found:.3f} ({sound.found / epsilon:.0%}), with "
            f"half its noise {half.found:.3f}{' (caught)' if half.broken else ''}; response {told.found:.3f}"
        )
        if sound.broken or told.broken:
            raise SystemExit(f"epsilon {epsilon:g} is not kept")


def _said(value: Estimate) -> str:
    return f"{value.mean:.4f} [{value.low:.4f}, {value.high:.4f}]"


def main() -> None:
    """Measure one bundle with its index and data set."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bundle", type=Path)
    parser.add_argument("--index", type=Path)
    parser.add_argument("--events", type=Path)
    parser.add_argument("--labels", default="", help="Attributes to remove, commas between.")
    parser.add_argument("--delta", type=float, default=1e-5)
    parser.add_argument("--samples", type=int, default=4_000_000)
    parser.add_argument("--users", type=int, default=10_000, help="At most.")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    if options.bundle and options.index and options.events:
        dataset = Dataset.open(options.events)
        corpus, users = read_corpus(dataset), read_users(dataset)
        asked = ask(Engine.load(options.bundle, options.index), corpus, options.users)
        for label in filter(None, options.labels.split(",")):
            show_removal(asked, label, users[label].take(asked.rows).to_pylist(), options.seed)
        show_noise(asked, corpus, options.delta, options.seed)
    show_audit(options.delta, options.samples)


if __name__ == "__main__":
    main()
