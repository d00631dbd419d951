"""Full-ranking evaluation: several systems answer the same questions, and one table says how well.

Knows systems as functions from users to lists; knows nothing of how they rank. The test event of each held-out user is
asked for; everything before it is the history; seen items are masked; nothing is sampled but the users, where asked. A
system trained with several seeds is several functions: a user's metric is then the mean over them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from engine_models.baselines import fit_rules, fit_text_rules, rank_popular
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
        By name, over all users asked for; of several seeds, over their mean user by user.
    slices, recalls
        NDCG@10 and Recall@10 by slice.
    against
        Difference in NDCG@10 to each other row, user by user, with its paired interval.
    seeds
        The means of each seed, by metric; one for a system without seeds.
    deviation
        Standard deviation of those means, by metric, of a sample; 0 for one seed.
    """

    metrics: dict[str, Estimate]
    slices: dict[str, Estimate]
    recalls: dict[str, Estimate]
    against: dict[str, Estimate]
    seeds: tuple[dict[str, float], ...]
    deviation: dict[str, float]


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


POPULARITY = "popularity"
RULES = "counting rules"
TEXT_RULES = "rules + text"


def evaluate(
    corpus: Corpus,
    systems: Mapping[str, Sequence[System]],
    *,
    directions: npt.NDArray[np.float32] | None = None,
    seed: int = 0,
    most_users: int | None = None,
) -> Evaluation:
    """Ask all systems, and the baselines, for the test items.

    Parameters
    ----------
    corpus
        Of the data set.
    systems
        By the name that the table shows, each with its seeds.
    directions
        Of the catalogue's whitened texts, float32 [items, w], for rules that read texts; without them no such row.
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
    rungs = {name: (system,) for name, system in baselines(corpus, directions).items()} | dict(systems)
    values = {
        name: [per_user(places(system(users, test), targets)) for system in seeds] for name, seeds in rungs.items()
    }
    masks = {name: mask[asked] for name, mask in slices(corpus).items()}
    return Evaluation(
        n_users=len(asked),
        n_items=int(corpus.rankable.sum()),
        slice_users={name: int(mask.sum()) for name, mask in masks.items()},
        rows=_rows(values, masks, seed),
    )


def baselines(corpus: Corpus, directions: npt.NDArray[np.float32] | None = None) -> dict[str, System]:
    """Popularity and counting rules, with texts too where there are `directions`, float32 [items, w].

    All are counted on the training part; their dials are from validation events.
    """
    split = corpus.split
    items, offsets = corpus.training_part()
    table = count_successors(items, offsets, len(corpus.rankable), damping=0)
    step = max(1, len(split.users) // VALIDATION_USERS)
    users, valid = split.users[::step], split.valid[::step]
    seen, targets = corpus.seen(users, valid), split.histories.items[valid]
    rules = fit_rules(table, corpus.popularity, corpus.rankable, seen, targets)
    found: dict[str, System] = {
        POPULARITY: lambda users, stops: rank_popular(corpus.popularity, corpus.rankable, corpus.seen(users, stops)),
        RULES: lambda users, stops: rules.rank(corpus.seen(users, stops)),
    }
    if directions is not None:
        reading = fit_text_rules(rules, directions, seen, targets)
        found[TEXT_RULES] = lambda users, stops: reading.rank(corpus.seen(users, stops))
    return found


def _rows(
    values: dict[str, list[dict[str, Doubles]]], masks: dict[str, npt.NDArray[np.bool_]], seed: int
) -> dict[str, Row]:
    means = {row: {name: np.mean([one[name] for one in seeds], 0) for name in NAMES} for row, seeds in values.items()}
    ndcg = {row: found["ndcg@10"] for row, found in means.items()}
    rows = {}
    for row, seeds in values.items():
        each = tuple({name: float(one[name].mean()) for name in NAMES} for one in seeds)
        rows[row] = Row(
            metrics={name: estimate(means[row][name], seed) for name in NAMES},
            slices={name: estimate(ndcg[row][mask], seed) for name, mask in masks.items()},
            recalls={name: estimate(means[row]["recall@10"][mask], seed) for name, mask in masks.items()},
            against={other: estimate(ndcg[row] - ndcg[other], seed) for other in values if other != row},
            seeds=each,
            deviation={name: _deviation([one[name] for one in each]) for name in NAMES},
        )
    return rows


def _deviation(values: Sequence[float]) -> float:
    return float(np.std(values, ddof=1)) if len(values) > 1 else 0.0
