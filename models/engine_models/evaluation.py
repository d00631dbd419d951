"""Full-ranking evaluation: several systems answer the same questions, and one table says how well.

Knows systems as functions from users to lists; knows nothing of how they rank. The test event of each held-out user is
asked for; everything before it is the history; seen items are masked; nothing is sampled but the users, where asked.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from engine_models.baselines import fit_rules, rank_popular
from engine_models.corpus import Corpus
from engine_models.metrics import NAMES, Doubles, Estimate, estimate, per_user, places
from engine_models.slices import slices
from engine_models.split import MIN_TARGETS, Ints
from engine_models.successors import count_successors
from engine_runtime.errors import InputError

Lists = npt.NDArray[np.int32]
System = Callable[[Ints, Ints], Lists]
"""From users and the events to stop before, int64 [n] each, to lists, int32 [n, DEPTH]."""

VALIDATION_USERS = 3000


@dataclass(frozen=True)
class Row:
    """How one system did.

    Attributes
    ----------
    metrics
        By name, over all users asked for.
    slices
        NDCG@10 by slice.
    against_rules
        Difference in NDCG@10 to the counting rules, user by user, with its paired interval.
    """

    metrics: dict[str, Estimate]
    slices: dict[str, Estimate]
    against_rules: Estimate


@dataclass(frozen=True)
class Evaluation:
    """The whole table.

    Attributes
    ----------
    n_users
        Users asked for.
    n_items
        Items ranked.
    slice_users
        Users of each slice.
    rows
        By system.
    """

    n_users: int
    n_items: int
    slice_users: dict[str, int]
    rows: dict[str, Row]


RULES = "counting rules"


def evaluate(
    corpus: Corpus, systems: Mapping[str, System], *, seed: int = 0, most_users: int | None = None
) -> Evaluation:
    """Ask all systems, and both baselines, for the test items.

    Parameters
    ----------
    corpus
        Of the data set.
    systems
        By the name that the table shows.
    seed
        Of the bootstrap and of the sample of users.
    most_users
        Users asked for, drawn at random; all if None.

    Raises
    ------
    InputError
        No user has the three events that it takes to hold two out.
    """
    split = corpus.split
    if not len(split.users):
        raise InputError(
            f"nobody can be asked for: no user has {MIN_TARGETS} ordered events to learn, the last of which would be "
            "the test. Ingest longer histories."
        )
    asked = np.arange(len(split.users))
    if most_users is not None and most_users < len(asked):
        asked = np.sort(np.random.default_rng(seed).choice(asked, most_users, replace=False))
    users, test = split.users[asked], split.test[asked]
    targets = split.histories.items[test]
    values = {
        name: per_user(places(system(users, test), targets))
        for name, system in {**baselines(corpus), **systems}.items()
    }
    masks = {name: mask[asked] for name, mask in slices(corpus).items()}
    rules = values[RULES]["ndcg@10"]
    return Evaluation(
        n_users=len(asked),
        n_items=int(corpus.rankable.sum()),
        slice_users={name: int(mask.sum()) for name, mask in masks.items()},
        rows={name: _row(scores, rules, masks, seed) for name, scores in values.items()},
    )


def baselines(corpus: Corpus) -> dict[str, System]:
    """Popularity and counting rules, both from the training part; the rules' dials from validation events."""
    split = corpus.split
    items, offsets = corpus.training_part()
    table = count_successors(items, offsets, len(corpus.rankable), damping=0)
    step = max(1, len(split.users) // VALIDATION_USERS)
    users, valid = split.users[::step], split.valid[::step]
    seen, targets = corpus.seen(users, valid), split.histories.items[valid]
    rules = fit_rules(table, corpus.popularity, corpus.rankable, seen, targets)
    return {
        "popularity": lambda users, stops: rank_popular(corpus.popularity, corpus.rankable, corpus.seen(users, stops)),
        RULES: lambda users, stops: rules.rank(corpus.seen(users, stops)),
    }


def _row(values: dict[str, Doubles], rules: Doubles, masks: dict[str, npt.NDArray[np.bool_]], seed: int) -> Row:
    return Row(
        metrics={name: estimate(values[name], seed) for name in NAMES},
        slices={name: estimate(values["ndcg@10"][mask], seed) for name, mask in masks.items()},
        against_rules=estimate(values["ndcg@10"] - rules, seed),
    )
