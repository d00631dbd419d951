"""Corrections of users, applied to what an engine makes of them.

Users without corrections are never touched: those who have some are refined and ranked again, apart from the others,
and their rows are put in the place of what was there. A masked concept is as if it had not been: its items are not
recommended, and events on them have no say in likeness of texts or in successions. The newest state alone still knows
them. Knows an engine's arrays and the overlay; knows nothing of files of events.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from engine_runtime.artefacts.overlay import Overlay
from engine_runtime.data.inputs import ModelInputs
from engine_runtime.profile.correction import (
    Amounts,
    Known,
    amounts_of,
    concepts_of_items,
    corrected_profile,
    corrected_query,
)
from engine_runtime.search.fusion import Ranking, Seen, rank, wide_queries
from engine_runtime.search.index import BLOCK_SCORES, ExactIndex, Index

if TYPE_CHECKING:
    from engine_runtime.data.histories import Histories
    from engine_runtime.serve.engine import Engine, Profiles

Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Masking:
    """What it takes to keep the items of a concept back.

    Attributes
    ----------
    concepts
        int32 [items that a history may name]: the concept of each, -1 for none.
    exact
        Over the catalogue. However many items are masked, it finds the best of the others.
    """

    concepts: npt.NDArray[np.int32]
    exact: ExactIndex

    def items(self, masked: Bools) -> Bools:
        """Which items belong to the concepts `masked`, bool [C]: bool [items that a history may name]."""
        return np.append(masked, False)[self.concepts]


@dataclass(frozen=True)
class Personal:
    """Corrections of some users, row by row.

    Attributes
    ----------
    amounts
        Of each user.
    masking
        None where nobody masks.
    """

    amounts: Amounts
    masking: Masking | None

    def repeated(self, count: int) -> Personal:
        """The corrections of one user for `count` histories; those of as many users as they are."""
        return self.take(np.zeros(count, np.int64)) if len(self.amounts) == 1 != count else self

    def take(self, rows: npt.ArrayLike) -> Personal:
        """Those of some of the users."""
        return replace(self, amounts=self.amounts.take(rows))

    def remembered(self, histories: Histories) -> Bools:
        """Which events have a say in texts and successions: bool [events]."""
        if self.masking is None:
            return np.ones(histories.n_events, np.bool_)
        concepts, rows = self.masking.concepts[histories.items], histories.rows
        return ~(self.amounts.masked[rows, concepts] & (concepts >= 0))


@dataclass(frozen=True)
class Corrections:
    """An overlay as a bundle understands it.

    Attributes
    ----------
    known
        Corrections of concepts that the bundle has, by user.
    n_concepts
        Of the bundle.
    n_unknown
        Corrections that name a concept which the bundle has not; they wait for one that has.
    masking
        None where nobody masks.
    """

    known: dict[str, tuple[Known, ...]]
    n_concepts: int
    n_unknown: int
    masking: Masking | None

    def of(self, users: pa.ChunkedArray) -> tuple[Ints, Personal] | None:
        """Rows, int64, of those of the users who have corrections, and what they say; None where nobody has any."""
        rows = np.flatnonzero(self._among(users))
        if not len(rows):
            return None
        named = users.take(pa.array(rows)).to_pylist()
        amounts = amounts_of([self.known[user] for user in named], self.n_concepts)
        return rows.astype(np.int64), Personal(amounts, self.masking if amounts.masked.any() else None)

    def count(self, users: pa.ChunkedArray) -> int:
        """How many of the users have corrections."""
        return int(self._among(users).sum())

    def _among(self, users: pa.ChunkedArray) -> Bools:
        found = pc.is_in(users, pa.array(list(self.known), pa.string()))
        return np.asarray(found.to_numpy(), np.bool_)


def understand(engine: Engine, overlay: Overlay | None) -> Corrections | None:
    """An overlay in the numbers of an engine's bundle and index; None where there is none, or nobody is in it.

    Raises
    ------
    ArtefactError
        A concept is masked and the bundle is of an earlier version, which does not say what belongs to it.
    """
    if overlay is None or not overlay.users:
        return None
    numbers = {name: number for number, name in enumerate(engine.learned.concept_names)}
    known, n_unknown = {}, 0
    for user, corrections in overlay.users.items():
        found = tuple((numbers[one.concept], one.kind, one.amount) for one in corrections if one.concept in numbers)
        n_unknown += len(corrections) - len(found)
        if found:
            known[user] = found
    masks = any(kind == "mask" for held in known.values() for _, kind, _ in held)
    return Corrections(known, len(numbers), n_unknown, _masking(engine) if masks else None)


def correct(engine: Engine, profiles: Profiles, inputs: ModelInputs, personal: Personal) -> Profiles:
    """Profiles as their users correct them.

    Parameters
    ----------
    engine
        That made the profiles.
    profiles, inputs
        Of the users, and what the refiner has read of them.
    personal
        Of each of them, or of one for all.
    """
    personal = personal.repeated(len(profiles.histories))
    concepts = corrected_profile(profiles.concepts, personal.amounts)
    states = engine.refiner.last_states(inputs, engine.shelf.vectors)
    query = corrected_query(engine.learned.query_head, concepts, states)
    query[~(profiles.query.any(axis=1) | personal.amounts.added.any(axis=1))] = 0.0  # of them nothing is known
    seen = _seen(profiles.histories.where(personal.remembered(profiles.histories)))
    wide = wide_queries(query, seen, engine.shelf.directions, engine.info.fusion)
    return replace(profiles, query=wide, concepts=concepts, personal=personal)


def recommend_corrected(engine: Engine, profiles: Profiles, personal: Personal, k: int) -> Ranking:
    """The `k` best items of users with corrections that are neither in their history nor masked."""
    shelf = engine.shelf
    histories = profiles.histories
    count = len(shelf.catalogue)
    histories = histories.where(personal.remembered(histories) & (histories.items < count))
    found = Ranking(np.full((len(histories), k), -1, np.int32), np.full((len(histories), k), -np.inf, np.float32))
    for users, index in _groups(engine, personal):
        seen = _seen(histories.take(users))
        ranking = rank(profiles.query[users], seen, index, shelf.successors, engine.info.fusion, k, shelf.new)
        found.items[users], found.scores[users] = ranking.items, ranking.scores
    return found


def _groups(engine: Engine, personal: Personal) -> Iterator[tuple[Ints, Index]]:
    """Users who mask the same concepts, and the index of what is left for them."""
    index, masked = engine.shelf.index, personal.amounts.masked
    sets, which = np.unique(masked, axis=0, return_inverse=True)
    for number, concepts in enumerate(sets):
        users = np.flatnonzero(which.ravel() == number)
        if personal.masking is None or not concepts.any():
            yield users, index
            continue
        rest = personal.masking.exact.without(personal.masking.items(concepts)[: len(index.vectors)])
        size = max(1, BLOCK_SCORES // max(1, len(index.vectors)))
        for start in range(0, len(users), size):
            yield users[start : start + size], rest


def _masking(engine: Engine) -> Masking:
    shelf = engine.shelf
    index = shelf.index
    exact = index if isinstance(index, ExactIndex) else ExactIndex(index.vectors, index.rankable)
    return Masking(concepts_of_items(shelf.directions, engine.learned.centres), exact)


def _seen(histories: Histories) -> Seen:
    return Seen(histories.offsets, histories.items)
