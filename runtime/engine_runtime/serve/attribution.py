"""One user's profile and scores, taken apart by concepts and by events, in numbers.

Exact where the engine is linear: interests are means over events, the query is taken apart with its norm's deviation
held (`engine_runtime.profile.contributions`), texts and successions are sums over events. The newest state h_T is the
one part without a linear split. It goes to the events by occlusion: each event that the refiner reads is left out in
turn, all these histories are refined in one call, and an event's effect is how much the state's share falls, the item
and the norm's deviation held. The effects need not sum to the share; what is missing is added in equal parts, which
gives the nearest numbers (least squares) that do. What a user has stated is no event's: it has a share of its own.
Knows an engine's arrays; knows nothing of names or files.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from engine_runtime.data.histories import Histories
from engine_runtime.data.inputs import ModelInputs, model_inputs
from engine_runtime.errors import UsageError
from engine_runtime.profile.contributions import (
    QueryShares,
    asked_of,
    interest_parts,
    over_events,
    query_shares,
    summing_to,
)
from engine_runtime.profile.correction import parts_of_profile
from engine_runtime.search.evidence import rule_shares, start_share, text_shares

if TYPE_CHECKING:
    from engine_runtime.serve.engine import Engine, Profiles

Doubles = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]
Items = npt.NDArray[np.int32]


@dataclass(frozen=True)
class Attribution:
    """Shares of interests and of the scores of n items, for a user with a history of H events.

    Attributes
    ----------
    items
        int32 [n].
    read
        int64 [T]: rows in the history of the events that the refiner reads.
    interests
        float64 [T, C]: what each event read adds to each interest; with `stated_interests` they sum to the profile.
    stated_interests
        float64 [C]: what the user has stated of each interest.
    stated
        float64 [n]: of that; a part of the shares of the interests.
    concepts
        float64 [n, C]: shares of the interests.
    state
        float64 [n]: of the newest state.
    norm, new_item, popular
        float64 [n]: the constant of the model, the bonus of new items, and the start row of the successor table.
    event_concepts, event_state, event_texts, event_successors
        float64 [n, H]: the same shares, and those of texts and successions, by event.
    effects
        float64 [n, H]: how much the score falls when the event had not been; 0 for an event that nothing reads.
    """

    items: Items
    read: Ints
    interests: Doubles
    stated_interests: Doubles
    stated: Doubles
    concepts: Doubles
    state: Doubles
    norm: Doubles
    new_item: Doubles
    popular: Doubles
    event_concepts: Doubles
    event_state: Doubles
    event_texts: Doubles
    event_successors: Doubles
    effects: Doubles

    @property
    def events(self) -> Doubles:
        """Share of each event: float64 [n, H]."""
        return self.event_concepts + self.event_state + self.event_texts + self.event_successors

    @property
    def scores(self) -> Doubles:
        """The sum of all shares: float64 [n]."""
        parts = self.concepts.sum(axis=1) + self.state + self.norm + self.new_item + self.popular
        return np.asarray(parts + self.event_texts.sum(axis=1) + self.event_successors.sum(axis=1))


def attribute(engine: Engine, profiles: Profiles, items: Items) -> Attribution:
    """Take one user's scores apart.

    Parameters
    ----------
    engine
        With an index.
    profiles
        Of one user, made by the same engine.
    items
        int32 [n], all different: numbers in the index's catalogue.

    Raises
    ------
    UsageError
        There are several users, or an item that is not in the catalogue.
    ArtefactError
        The bundle is of an earlier version, which can not be explained.
    """
    _check(engine, profiles, items)
    histories = profiles.histories
    inputs = _inputs(engine, histories)
    read, shape = inputs.events, (len(items), histories.n_events)
    parts, said = _interests(profiles, interest_parts(engine.refiner.concepts(inputs, engine.shelf.vectors, 0)))
    by_concepts, by_state, stated = np.zeros(shape), np.zeros(shape), np.zeros(len(items))
    found = QueryShares(np.zeros((len(items), parts.shape[1])), np.zeros(len(items)), np.zeros(len(items)))
    if profiles.query.any():
        found, by_state[:, read] = _query(engine, profiles, inputs, items)
        by_all = over_events(found.concepts, np.concatenate((parts, said[None])))
        by_concepts[:, read], stated = by_all[:, :-1], by_all[:, -1]
    successors, popular = _successions(engine, profiles, items)
    return Attribution(
        items=items,
        read=read,
        interests=parts,
        stated_interests=said,
        stated=stated,
        concepts=found.concepts,
        state=found.state,
        norm=found.norm,
        new_item=_bonus(engine, items) if profiles.query.any() else np.zeros(len(items)),
        popular=popular,
        event_concepts=by_concepts,
        event_state=by_state,
        event_texts=_texts(engine, profiles, items),
        event_successors=successors,
        effects=_effects(engine, profiles, items, read),
    )


def scores(engine: Engine, profiles: Profiles, items: Items) -> Doubles:
    """Scores of any items of the catalogue, as `Engine.recommend` has them: float64 [users, n].

    Seen items, and those that are never recommended, have one like others.
    """
    products = profiles.query.astype(np.float64) @ engine.shelf.index.vectors[items].astype(np.float64).T
    bonus = _bonus(engine, items)
    for user in range(len(products)):
        one = _one(profiles, user)
        successors, popular = _successions(engine, one, items)
        products[user] += successors.sum(axis=1) + popular + (bonus if one.query.any() else 0.0)
    return products


def without(histories: Histories, events: Ints) -> Histories:
    """Histories of one user without each of some of their events: as many as `events` has rows of the history."""
    count = histories.n_events
    kept = np.arange(count)[None, :] != np.asarray(events)[:, None]
    return histories.take(np.zeros(len(events), np.int64)).where(kept.ravel())


def _check(engine: Engine, profiles: Profiles, items: Items) -> None:
    known = len(engine.shelf.catalogue)
    if len(profiles.histories) != 1:
        raise UsageError(f"one user is explained at a time, not {len(profiles.histories)}.")
    if len(items) and not (items.min() >= 0 and items.max() < known and len(np.unique(items)) == len(items)):
        raise UsageError(f"items to explain are different numbers of 0 .. {known - 1}. Leave unknown items (-1) out.")


def _inputs(engine: Engine, histories: Histories) -> ModelInputs:
    return model_inputs(histories, engine.info.value, engine.info.gap, engine.info.shape.max_events)


def _interests(profiles: Profiles, parts: Doubles) -> tuple[Doubles, Doubles]:
    """What each event adds to each interest as it is served, [T, C], and what the user has stated, [C]."""
    if profiles.personal is None:
        return parts, np.zeros(parts.shape[1])
    factor, stated = parts_of_profile(parts.sum(axis=0, keepdims=True), profiles.personal.amounts)
    return parts * factor, stated[0]


def _query(engine: Engine, profiles: Profiles, inputs: ModelInputs, items: Items) -> tuple[QueryShares, Doubles]:
    """Shares of ``<q, e>``, and that of the newest state by event read."""
    head, vectors, profile = engine.learned.query_head, engine.shelf.vectors, profiles.concepts[0]
    variants = _inputs(engine, without(profiles.histories, inputs.events))
    state = engine.refiner.last_states(inputs, vectors)[0]
    others = engine.refiner.last_states(variants, vectors)
    found = query_shares(head, profile, state, vectors[items])
    lost = asked_of(head, profile, state, vectors[items]) @ (state - others).T
    return found, summing_to(found.state, lost)


def _texts(engine: Engine, profiles: Profiles, items: Items) -> Doubles:
    """Share of texts by event: [n, H]."""
    history, fusion = profiles.histories.items, engine.info.fusion
    shares = np.zeros((len(items), len(history)))
    if fusion.text_weight and profiles.query.any():
        told = _remembered(profiles)
        shares[:, told] = text_shares(history[told], items, engine.shelf.directions, fusion)
    return shares


def _successions(engine: Engine, profiles: Profiles, items: Items) -> tuple[Doubles, Doubles]:
    """Share of successions by event, [n, H], and that of what is popular, [n]."""
    fusion, shelf = engine.info.fusion, engine.shelf
    history = profiles.histories.items
    successors, popular = np.zeros((len(items), len(history))), np.zeros(len(items))
    if not profiles.query.any():  # of no event the place is known
        return successors, start_share(items, shelf.successors, fusion)
    known = (history < len(shelf.catalogue)) & _remembered(profiles)
    if known.any():
        successors[:, known] = rule_shares(history[known], items, shelf.successors, fusion)
    else:
        popular = fusion.weight * start_share(items, shelf.successors, fusion)
    return successors, popular


def _effects(engine: Engine, profiles: Profiles, items: Items, read: Ints) -> Doubles:
    """How much each item's score falls without each event: [n, H]."""
    histories = profiles.histories
    effects = np.zeros((len(items), histories.n_events))
    newest = np.arange(histories.n_events)[-max(1, engine.info.fusion.n_events) :]
    touched = np.union1d(read, newest)
    others = scores(engine, engine.profile(without(histories, touched), profiles.personal), items)
    effects[:, touched] = (scores(engine, profiles, items) - others).T
    return effects


def _bonus(engine: Engine, items: Items) -> Doubles:
    return np.where(engine.shelf.new[items], engine.info.fusion.bonus, 0.0)


def _one(profiles: Profiles, user: int) -> Profiles:
    rows = slice(user, user + 1)
    histories, personal = profiles.histories.slice(user, user + 1), profiles.personal
    return replace(
        profiles,
        histories=histories,
        query=profiles.query[rows],
        concepts=profiles.concepts[rows],
        personal=None if personal is None else personal.take([user]),
    )


def _remembered(profiles: Profiles) -> Bools:
    """Which events of one user have a say in texts and successions: bool [H]."""
    histories, personal = profiles.histories, profiles.personal
    return np.ones(histories.n_events, np.bool_) if personal is None else personal.remembered(histories)
