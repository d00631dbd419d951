"""What protection of released profiles does and costs on a real data set: ``make privacy``.

Prints how well an attribute of the users is told by a logistic probe, and by one that is not linear, from the released
vector (concepts and query) before and after its removal, with NDCG@10 of ranking with that query beside it; NDCG@10 of
ranking by noisy profiles for several epsilons; and how much of a stated epsilon a test proves to be spent. Profiles are
of histories without the last event, which is asked for, as `engine evaluate` does.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import click
import numpy as np
import numpy.typing as npt
from scipy.special import softmax

from end_to_end.distinguishing import answers, audit, judge
from engine_models.corpus import Corpus, read_corpus
from engine_models.label_measures import auc, interval
from engine_models.logistic import Design, fit, loss
from engine_models.metrics import Estimate, estimate, per_user, places
from engine_models.split import until
from engine_runtime.artefacts.dataset import Dataset
from engine_runtime.data.histories import read_users
from engine_runtime.profile.contributions import profile_alone
from engine_runtime.profile.erasure import Eraser, Moments
from engine_runtime.profile.noise import gaussian_sigma, noisy
from engine_runtime.serve.engine import Engine, Profiles

Doubles = npt.NDArray[np.float64]
Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]

EPSILONS = (0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 64.0, math.inf)
AUDITED = (0.5, 1.0, 2.0, 4.0)
FOLDS = 5
PENALTIES = (1.0, 1e-1, 1e-2, 1e-3)
WAVES = 500


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


def ask(engine: Engine, corpus: Corpus) -> Asked:
    """Profiles of all users of whom an event is held out."""
    split = corpus.split
    profiles = engine.profile(until(split.histories, split.users, split.test))
    return Asked(engine, profiles, split.histories.items[split.test], split.users)


def probe(vectors: Floats, truth: Ints, seed: int, erase_outside: bool = False) -> Doubles:
    """Probabilities of each user's classes by probes that have not learned from them: float64 [users, K].

    With `erase_outside` the attribute is erased by a map that is fitted without them too.
    """
    fold = np.random.default_rng(seed).permutation(len(truth)) % FOLDS
    found, penalty = np.zeros((len(truth), truth.max() + 1)), None
    for left in range(FOLDS):
        inside = fold != left
        shown = eraser_of(vectors[inside], truth[inside])(vectors) if erase_outside else vectors
        spread = shown[inside].std(0)
        scaled = (shown - shown[inside].mean(0)) / np.where(spread > 1e-9, spread, 1)
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
    return np.cos(angles).astype(np.float32)


def eraser_of(vectors: Floats, truth: Ints) -> Eraser:
    """The eraser of an attribute."""
    moments = Moments(vectors.shape[1], int(truth.max()) + 1)
    moments.add(vectors, np.eye(truth.max() + 1)[truth])
    return moments.eraser()


def show_removal(asked: Asked, label: str, values: Sequence[str | None], seed: int) -> None:
    """Print what removal of one attribute does."""
    known = np.array([value is not None for value in values])
    classes, truth = np.unique([value for value in values if value is not None], return_inverse=True)
    vectors, served = asked.vectors, asked.ndcg()
    erased = eraser_of(vectors[known], truth)(vectors).astype(np.float32)
    removed = asked.ndcg(erased)
    change = estimate(removed - served, seed)
    click.echo(f"{label}: {len(classes)} values, {known.sum():,} users, vector of {vectors.shape[1]} numbers")
    for name, shown, outside in (
        ("as it is", vectors, False),
        ("removed", erased, False),
        ("removed, of users that the map was not fitted on", vectors, True),
    ):
        _show_probe(f"  {name}, linear probe", probe(shown[known], truth, seed, outside), truth, seed)
    for name, shown in (("as it is", vectors), ("removed", erased)):
        _show_probe(f"  {name}, probe that is not linear", probe(waves(shown[known], seed), truth, seed), truth, seed)
    click.echo(f"  NDCG@10 as served {_said(estimate(served, seed))}, removed {_said(estimate(removed, seed))}")
    relative = [100 * part / served.mean() for part in (change.mean, change.low, change.high)]
    click.echo(f"  change {relative[0]:+.1f} % [{relative[1]:+.1f}, {relative[2]:+.1f}]")


def _show_probe(name: str, found: Doubles, truth: Ints, seed: int) -> None:
    area = interval(auc, found, truth, seed)
    click.echo(f"{name:64} AUC {area.mean:.3f} [{area.low:.3f}, {area.high:.3f}]")


def ranks(asked: Asked, query: Floats, rankable: npt.NDArray[np.bool_], seen: npt.NDArray[np.bool_] | None) -> Doubles:
    """NDCG@10 of each user of ranking all items by ``<q, e>``; with `seen`, bool [users, items], those are left out."""
    vectors, gains = asked.engine.shelf.vectors[: len(rankable)], np.zeros(len(query))
    for start in range(0, len(query), 512):
        block = slice(start, start + 512)
        scores = query[block] @ vectors.T
        scores[:, ~rankable] = -np.inf
        own = scores[np.arange(len(scores)), asked.targets[block]].copy()
        if seen is not None:
            scores[seen[block]] = -np.inf
        above = (scores > own[:, None]).sum(1)
        gains[block] = np.where(above < 10, 1 / np.log2(above + 2), 0)
    return gains


def show_noise(asked: Asked, corpus: Corpus, delta: float, seed: int) -> None:
    """Print NDCG@10 of ranking by noisy profiles."""
    head, concepts = asked.engine.learned.query_head, asked.profiles.concepts
    histories = asked.profiles.histories
    seen = np.zeros((len(concepts), len(corpus.rankable)), np.bool_)
    seen[histories.rows, histories.items] = True
    known = np.broadcast_to(corpus.popularity.astype(np.float32), (len(concepts), len(corpus.rankable)))
    popular = np.argsort(-np.where(corpus.rankable & ~seen, known, -1), axis=1, kind="stable")[:, :100]
    floor = per_user(places(popular.astype(np.int32), asked.targets))["ndcg@10"].mean()
    click.echo(
        f"ranking by the noisy profile alone, delta {delta:g}; what is popular {floor:.4f}, as served "
        f"{asked.ndcg().mean():.4f}"
    )
    click.echo("  epsilon   sigma  gaussian: NDCG@10, seen items left out   response: the same")
    for epsilon in EPSILONS:
        sigma = gaussian_sigma(epsilon, delta) if epsilon < math.inf else 0.0
        cells = []
        for mechanism in ("gaussian", "response"):
            blurred = concepts if epsilon == math.inf else noisy(concepts, mechanism, epsilon, sigma)  # type: ignore[arg-type]
            if epsilon == math.inf and mechanism == "response":
                blurred = np.eye(concepts.shape[1], dtype=np.float32)[concepts.argmax(1)]
            query = profile_alone(head, blurred)
            cells += [estimate(ranks(asked, query, corpus.rankable, mask), seed) for mask in (None, seen)]
        click.echo(f"  {epsilon:7g} {sigma:7.3f}  " + "   ".join(_said(cell) for cell in cells))


def show_audit(delta: float, count: int) -> None:
    """Print how much of what is stated is proved to be spent, and that too little noise is found."""
    click.echo(f"telling two corners of the simplex apart, {count:,} releases of each, delta {delta:g}, 95 % sure")
    for epsilon in AUDITED:
        sound, half = audit(epsilon, delta, count), audit(epsilon, delta, count, 0.5)
        told = judge(answers(epsilon, 128), epsilon, 0.0, count // 10)
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
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    if options.bundle and options.index and options.events:
        dataset = Dataset.open(options.events)
        corpus, users = read_corpus(dataset), read_users(dataset)
        asked = ask(Engine.load(options.bundle, options.index), corpus)
        for label in filter(None, options.labels.split(",")):
            show_removal(asked, label, users[label].take(asked.rows).to_pylist(), options.seed)
        show_noise(asked, corpus, options.delta, options.seed)
    show_audit(options.delta, options.samples)


if __name__ == "__main__":
    main()
