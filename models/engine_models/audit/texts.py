"""A user's own texts, found again from the user's released vectors: all texts are ranked by their likeness to them.

The texts are those of items; that a user wrote something is not known here. Chance is the list that another user's
vector gives, one with about as long a history: what many like is found by any vector. Knows subjects and vectors of
items; knows nothing of files.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from engine_models.audit.figures import Doubles, Figure, Line
from engine_models.audit.subjects import Subjects
from engine_runtime.data.histories import Histories, histories_from
from engine_runtime.data.schema import TEXT
from engine_runtime.serve.engine import Engine

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

SECTION = "texts"
SUBJECT = "texts of own items"
NEAREST = 10
BLOCK_USERS = 256
BLOCK_ITEMS = 8192


def item_profiles(engine: Engine) -> Floats:
    """The profile of somebody who has met one item and nothing else, for each of the catalogue: float32 [items, C].

    Whoever has the bundle can ask it for these; the event is of the type that weighs most.
    """
    kind = int(np.argmax(engine.info.event_weights))
    n_items = len(engine.shelf.catalogue)
    found = [np.zeros((0, engine.info.shape.n_concepts), np.float32)]
    for start in range(0, n_items, BLOCK_ITEMS):
        items = range(start, min(start + BLOCK_ITEMS, n_items))
        alone = histories_from([[item] for item in items], types=[[kind] for _ in items])
        found.append(engine.profile(alone).concepts)
    return np.concatenate(found)


def find_texts(subjects: Subjects, profiles: Floats, seed: int) -> Iterator[Figure]:
    """How often the texts nearest to a user's vectors are those of the user's items.

    A profile is held against those of single items, a query against items' vectors, its text part against the
    directions of texts alone.

    Parameters
    ----------
    subjects
        Whom the vectors are of.
    profiles
        As `item_profiles` gives them.
    seed
        Of the other users and the bootstrap.
    """
    shelf, dim = subjects.engine.shelf, subjects.engine.info.shape.dim
    n_items = len(shelf.catalogue)
    told = np.array([bool(text) for text in shelf.catalogue[TEXT].to_pylist()])
    concepts, query = subjects.released.get("concepts"), subjects.released.get("query")
    if concepts is None and query is None:
        yield Line(SECTION, SUBJECT, "none", "hit@1", "no vectors in this output").unmeasured()
    vectors = shelf.index.vectors[:n_items]
    for column, items in (("concepts", profiles), ("query", vectors)):
        if column in subjects.released and subjects.released[column].shape[1] != items.shape[1]:
            yield Line(SECTION, SUBJECT, column, "hit@1", "of another width than the bundle's vectors").unmeasured()
    if concepts is not None and concepts.shape[1] == profiles.shape[1]:
        centre = np.nanmean(concepts, axis=0)
        yield from _figures(subjects, "concepts", concepts - centre, _unit(profiles - profiles.mean(0)), told, seed)
    if query is not None and query.shape[1] == vectors.shape[1]:
        yield from _figures(subjects, "query", query, vectors, told, seed)
        if subjects.engine.info.fusion.text_weight:
            yield from _figures(subjects, "query, text part", query[:, dim:], vectors[:, dim:], told, seed)


def _figures(
    subjects: Subjects, column: str, vectors: Floats, items: Floats, told: Bools, seed: int
) -> Iterator[Figure]:
    there = np.flatnonzero(np.isfinite(vectors).all(1))
    if len(there) < 2 or not told.any():
        why = "no two users have this vector, or no item a text"
        yield Line(SECTION, SUBJECT, column, "nearest", why).unmeasured()
        return
    histories, vectors = subjects.histories.take(there), vectors[there]
    lists = nearest(vectors, items, told)
    own = in_history(lists, histories)
    other = in_history(lists[stand_ins(histories.lengths, seed)], histories)
    note = (
        "texts of items, for nothing that users wrote is in this data set; chance is the list from the vector of "
        "another user with as long a history"
    )
    measures = {
        "hit@1": (own[:, 0], other[:, 0]),
        f"hit@{NEAREST}": (own.max(1), other.max(1)),
        f"share of {NEAREST}": (own.mean(1), other.mean(1)),
    }
    for measure, (hits, chances) in measures.items():
        yield Line(SECTION, SUBJECT, column, measure, note).rate(hits, chances, seed)


def nearest(vectors: Floats, items: Floats, told: Bools) -> Ints:
    """The `NEAREST` items by inner product, best first: int64 [users, NEAREST], fewer where there are fewer.

    Parameters
    ----------
    vectors
        float32 [users, d].
    items
        float32 [items, d].
    told
        bool [items]: which items may be found.
    """
    numbers = np.flatnonzero(told)
    candidates, count = items[numbers], min(NEAREST, len(numbers))
    found = []
    for start in range(0, len(vectors), BLOCK_USERS):
        scores = vectors[start : start + BLOCK_USERS] @ candidates.T
        best = np.argpartition(-scores, count - 1, axis=1)[:, :count]
        order = np.argsort(-np.take_along_axis(scores, best, 1), axis=1, kind="stable")
        found.append(numbers[np.take_along_axis(best, order, 1)])
    return np.concatenate(found)


def in_history(lists: Ints, histories: Histories) -> Doubles:
    """1 where an item of a user's list, int64 [users, k], is in that user's history, else 0: float64 [users, k]."""
    width = int(max(lists.max(initial=0), histories.items.max(initial=0))) + 1
    met = histories.rows * width + histories.items
    return np.isin(np.arange(len(lists))[:, None] * width + lists, met).astype(np.float64)


def stand_ins(lengths: Ints, seed: int) -> Ints:
    """For each user another one with about as many events, nobody twice: int64 [users], rows."""
    order = np.lexsort((np.random.default_rng(seed).permutation(len(lengths)), lengths))
    other = np.empty(len(lengths), np.int64)
    other[order] = np.roll(order, 1)
    return other


def _unit(vectors: Floats) -> Floats:
    return np.asarray(vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12), np.float32)
