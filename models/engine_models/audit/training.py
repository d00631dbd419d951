"""Whether a model knows who it was trained on: users of its training against users whom it has never seen.

The attack is a threshold on how likely the model holds a user's actual next events (Yeom et al., Privacy risk in
machine learning, 2018, section 3.2), and on how often it has counted such a succession. Both groups are asked for
events of the same places in their histories: those of the training part. Knows engines and histories; no files.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from engine_models.audit.figures import Doubles, Figure, Line
from engine_models.split import Split, leave_one_out, until
from engine_runtime.artefacts.dataset import Dataset
from engine_runtime.data.histories import Histories
from engine_runtime.data.schema import USER_ID
from engine_runtime.data.stored import read_histories, read_users
from engine_runtime.errors import InputError
from engine_runtime.search.evidence import rule_shares
from engine_runtime.serve.bucket import adapt
from engine_runtime.serve.engine import Engine
from engine_runtime.serve.learned import align

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]
Items = npt.NDArray[np.int32]

SECTION = "membership"
SUBJECT = "was in the training"
COLUMN = "the model"
NEWEST = 5
"""Events that a user is asked for: the newest of the training part."""

BLOCK_USERS = 256


@dataclasses.dataclass(frozen=True)
class Familiarity:
    """How well known users' next events are, float64 [users] each; NaN for a user who has none to ask for.

    Attributes
    ----------
    model
        Mean log-probability under a softmax of ``<q, e>`` over the items that were trained.
    counted
        Mean ``log(1 + rule / floor)`` of the successor table.
    """

    model: Doubles
    counted: Doubles


def not_asked() -> Iterator[Figure]:
    """What stands in an audit without outsiders."""
    why = "nobody is at hand who was surely not in the training; give --outsiders"
    yield Line(SECTION, SUBJECT, COLUMN, "AUC", why).unmeasured()


def compare_training(
    engine: Engine, members: Histories, outsiders: Dataset, dataset: Dataset, most_users: int, seed: int
) -> Iterator[Figure]:
    """Tell users of the training from others.

    Parameters
    ----------
    engine
        Of the model that was trained.
    members
        Users of the training, items numbered as `engine` has them.
    outsiders
        A data set of users of the same kind; who is in `dataset` too is left out.
    dataset
        Of the training.
    most_users
        Outsiders that are asked for, at most.
    seed
        Of their draw and of the bootstrap.

    Raises
    ------
    InputError
        All outsiders are users of the data set.
    """
    others = align(read_users(outsiders)[USER_ID], read_users(dataset)[USER_ID])
    strangers = np.flatnonzero(others < 0)
    if not len(strangers):
        raise InputError(f"all users of {outsiders.root} are users of {dataset.root}: they are no outsiders.")
    drawn = np.sort(np.random.default_rng(seed).permutation(strangers)[:most_users])
    source, histories = adapt(engine, outsiders), read_histories(outsiders).take(drawn)
    strange = dataclasses.replace(histories, items=source.numbers[histories.items])
    inside, outside = familiarity(engine, members), familiarity(source.engine, strange)
    note = f"{int(np.isfinite(outside.model).sum()):,} outsiders; they have to be of the same kind as the users"
    measures = {
        "AUC, likelihood": (inside.model, outside.model),
        "AUC, counted pairs": (inside.counted, outside.counted),
    }
    for measure, (one, other) in measures.items():
        yield _figure(Line(SECTION, SUBJECT, COLUMN, measure, note), one, other, seed)


def _figure(line: Line, inside: Doubles, outside: Doubles, seed: int) -> Figure:
    inside, outside = inside[np.isfinite(inside)], outside[np.isfinite(outside)]
    if len(inside) < 2 or len(outside) < 2:
        return dataclasses.replace(line, note="too few users have events to ask for").unmeasured()
    scores = np.concatenate((inside, outside))
    truth = np.repeat([1, 0], [len(inside), len(outside)]).astype(np.int64)
    return line.area(np.stack((-scores, scores), axis=1), truth, seed)


def familiarity(engine: Engine, histories: Histories) -> Familiarity:
    """Ask for the newest events of each user's training part, each after the events before it."""
    shelf = engine.shelf
    learned = np.zeros(len(shelf.vectors), np.bool_)
    learned[: len(shelf.catalogue)] = shelf.index.rankable & ~shelf.new
    split = leave_one_out(histories, engine.info.event_weights, learned)
    sums, counts = np.zeros((2, len(histories))), np.zeros(len(histories), np.int64)
    for users, events in _asked(split):
        for start in range(0, len(users), BLOCK_USERS):
            who, which = users[start : start + BLOCK_USERS], events[start : start + BLOCK_USERS]
            before, targets = until(split.histories, who, which), split.histories.items[which]
            sums[0, who] += _likelihood(engine, before, targets, learned)
            sums[1, who] += _counted(engine, before, targets)
        counts[users] += 1
    means = np.divide(sums, counts, out=np.full_like(sums, np.nan), where=counts > 0)
    return Familiarity(means[0], means[1])


def _asked(split: Split) -> Iterator[tuple[Ints, Ints]]:
    """Users and the event that each is asked for, the newest first: nobody twice at a time, int64 [users] each."""
    histories = split.histories
    numbers = np.arange(histories.n_events)
    first = np.repeat(histories.offsets[:-1], histories.lengths)
    stop = np.repeat(split.train_stops, histories.lengths)
    targets = np.flatnonzero(split.is_target & (numbers > first) & (numbers < stop))
    rows = histories.rows[targets]
    begin = np.searchsorted(rows, np.arange(len(histories)))
    end = np.searchsorted(rows, np.arange(len(histories)), side="right")
    for age in range(1, NEWEST + 1):
        here = np.flatnonzero(end - age >= begin)
        yield here, targets[end[here] - age]


def _likelihood(engine: Engine, before: Histories, targets: Items, learned: npt.NDArray[np.bool_]) -> Doubles:
    """Log-probability of each target, float64 [users]."""
    dim, vectors = engine.info.shape.dim, engine.shelf.vectors
    query = engine.profile(before).query[:, :dim].astype(np.float64)
    logits = query @ vectors[learned].astype(np.float64).T
    top = logits.max(1)
    total = np.log(np.exp(logits - top[:, None]).sum(1)) + top
    return np.asarray((query * vectors[targets]).sum(1) - total)


def _counted(engine: Engine, before: Histories, targets: Items) -> Doubles:
    """What the successor table says of each target, float64 [users]."""
    shelf, fusion = engine.shelf, dataclasses.replace(engine.info.fusion, weight=1.0)
    found = np.zeros(len(before))
    for row, target in enumerate(targets):
        items = before.items[before.offsets[row] : before.offsets[row + 1]]
        items = items[items < len(shelf.catalogue)]
        if len(items):
            found[row] = rule_shares(items, np.array([target]), shelf.successors, fusion).sum()
    return found
