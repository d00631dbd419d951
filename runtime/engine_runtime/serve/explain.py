"""One user of a data set, explained with names. Knows how an engine's numbers become names; formats nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from engine_runtime.artefacts.dataset import Dataset
from engine_runtime.artefacts.overlay import Overlay
from engine_runtime.data.histories import Histories
from engine_runtime.data.schema import ITEM_ID, NO_TIME
from engine_runtime.data.stored import read_catalogue, titles
from engine_runtime.errors import InputError
from engine_runtime.profile.explanation import (
    ConceptShare,
    EventShare,
    Explanation,
    Interest,
    InterestPart,
    PastEvent,
    RankedItem,
    Reason,
    Without,
)
from engine_runtime.profile.interests import TOP
from engine_runtime.serve.attribution import Attribution, scores, without
from engine_runtime.serve.bucket import adapt
from engine_runtime.serve.engine import Engine, Profiles
from engine_runtime.serve.portrait import history_of

LOOKED_AT = 100
"""Places that a ranking without an event is looked at for the explained item."""


@dataclass(frozen=True)
class _Case:
    """A user as they were served, in numbers, and what the numbers are called.

    Attributes
    ----------
    engine, profiles
        Who serves, and the user refined.
    attribution
        Of the explained items.
    places, served
        Their places and scores in the ranking; -1 and NaN where they are not in it.
    top
        Length of a ranking that is told.
    left_out
        Row in the history of the event that is left out; None for the one that adds most to each item.
    """

    engine: Engine
    profiles: Profiles
    attribution: Attribution
    places: npt.NDArray[np.int64]
    served: npt.NDArray[np.float64]
    top: int
    left_out: int | None

    @property
    def concept_names(self) -> list[str]:
        return self.engine.learned.concept_names


def explain_user(
    engine: Engine,
    dataset: Dataset,
    user_id: str,
    items: Sequence[str] | None = None,
    top: int = 3,
    leave_out: int | None = None,
    overlay: Overlay | None = None,
) -> Explanation:
    """Explain one user of a data set.

    Parameters
    ----------
    engine
        With an index; its items and the data set's are matched by id.
    dataset
        That holds the user.
    user_id
        As the data set names them.
    items
        Ids of the items that are explained; the best `top` if None.
    top
        Length of a ranking.
    leave_out
        Place in the history, 1 the oldest, of the event without which rankings are told; if None, of each item the
        event that adds most to it.
    overlay
        Corrections by users; what is explained is then what follows from those of this user.

    Raises
    ------
    InputError
        The data set has no such user, the index no such item, or the history no such place.
    ArtefactError
        The bundle is of an earlier version, which can not be explained.
    """
    source = adapt(engine, dataset, overlay=overlay)
    engine, histories = source.engine, history_of(dataset, user_id)
    said = source.corrections.of(pa.chunked_array([[user_id]])) if source.corrections else None
    numbered = replace(histories, items=source.numbers[histories.items])
    profiles = engine.profile(numbered, said[1] if said else None)
    if leave_out is not None and not 1 <= leave_out <= histories.n_events:
        raise InputError(f"there is no event {leave_out} to leave out: the history has {histories.n_events}.")
    case = _case(engine, profiles, items, top, None if leave_out is None else leave_out - 1)
    read = case.attribution.read
    left_out = [] if case.left_out is None else [case.left_out]
    named = np.unique(np.concatenate((read, np.flatnonzero(case.attribution.events.any(axis=0)), left_out)))
    named = named.astype(np.int64)
    return Explanation(
        user_id=user_id,
        precision=engine.precision,
        n_events=histories.n_events,
        events=_past(dataset, histories, named),
        interests=_interests(case),
        items=tuple(_reason(case, row) for row in range(len(case.attribution.items))),
    )


def _case(engine: Engine, profiles: Profiles, items: Sequence[str] | None, top: int, left_out: int | None) -> _Case:
    ranking = engine.recommend(profiles, max(top, LOOKED_AT))
    shown = ranking.items[0][:top] if items is None else _numbers(engine, items)
    shown = shown[shown >= 0]
    places = np.array([np.append(np.flatnonzero(ranking.items[0] == item), -1)[0] for item in shown], np.int64)
    served = np.where(places >= 0, ranking.scores[0][places].astype(np.float64), np.nan)
    return _Case(engine, profiles, engine.explain(profiles, shown), places, served, top, left_out)


def _numbers(engine: Engine, items: Sequence[str]) -> npt.NDArray[np.int32]:
    distinct = list(dict.fromkeys(items))
    numbers = engine.item_numbers(distinct)
    if unknown := [item for item, number in zip(distinct, numbers, strict=True) if number < 0]:
        raise InputError(f"the index has no item '{unknown[0]}' among its {len(engine.shelf.catalogue):,}.")
    return numbers


def _past(dataset: Dataset, histories: Histories, rows: npt.NDArray[np.int64]) -> tuple[PastEvent, ...]:
    described = read_catalogue(dataset.items).take(pa.array(histories.items[rows]))
    called, ids = titles(described), described[ITEM_ID].to_pylist()
    return tuple(
        PastEvent(int(row) + 1, item, title, dataset.info.event_types[histories.types[row]], _iso(histories.times[row]))
        for row, item, title in zip(rows, ids, called, strict=True)
    )


def _iso(time: Any) -> str | None:
    return None if time == NO_TIME else datetime.fromtimestamp(int(time), UTC).isoformat()


def _interests(case: _Case) -> tuple[Interest, ...]:
    weights, parts, read = case.profiles.concepts[0], case.attribution.interests, case.attribution.read
    stated = case.attribution.stated_interests
    strongest = [int(concept) for concept in np.argsort(-weights, kind="stable")[:TOP] if weights[concept] > 0]
    return tuple(
        Interest(
            concept,
            case.concept_names[concept],
            float(weights[concept]),
            tuple(
                InterestPart(int(read[row]) + 1, float(parts[row, concept]))
                for row in np.argsort(-parts[:, concept], kind="stable")
            ),
            float(stated[concept]),
        )
        for concept in strongest
    )


def _reason(case: _Case, row: int) -> Reason:
    found = case.attribution
    item, place = int(found.items[row]), int(case.places[row])
    concepts = _concepts(case, row)
    return Reason(
        item_id=_id(case, item),
        title=_title(case, item),
        place=place + 1 if place >= 0 else None,
        score=float(case.served[row] if place >= 0 else found.scores[row]),
        concepts=concepts,
        other_concepts=float(found.concepts[row].sum()) - sum(concept.share for concept in concepts),
        state=float(found.state[row]),
        texts=float(found.event_texts[row].sum()),
        successors=float(found.event_successors[row].sum()),
        popular=float(found.popular[row]),
        new_item=float(found.new_item[row]),
        norm=float(found.norm[row]),
        events=_events(found, row),
        without=_without(case, row),
        stated=float(found.stated[row]),
    )


def _concepts(case: _Case, row: int) -> tuple[ConceptShare, ...]:
    shares, weights = case.attribution.concepts[row], case.profiles.concepts[0]
    largest = np.argsort(-np.abs(shares), kind="stable")[:TOP]
    ordered = sorted((int(concept) for concept in largest if shares[concept]), key=lambda concept: -shares[concept])
    return tuple(
        ConceptShare(concept, case.concept_names[concept], float(weights[concept]), float(shares[concept]))
        for concept in ordered
    )


def _events(found: Attribution, row: int) -> tuple[EventShare, ...]:
    shares = found.events[row]
    return tuple(
        EventShare(
            place=int(event) + 1,
            share=float(shares[event]),
            concepts=float(found.event_concepts[row, event]),
            state=float(found.event_state[row, event]),
            texts=float(found.event_texts[row, event]),
            successors=float(found.event_successors[row, event]),
            effect=float(found.effects[row, event]),
        )
        for event in np.argsort(-shares, kind="stable")
        if shares[event]
    )


def _without(case: _Case, row: int) -> Without | None:
    """The ranking without one event, served anew."""
    shares = case.attribution.events[row]
    if case.left_out is None and not shares.any():
        return None
    engine, items = case.engine, case.attribution.items[row : row + 1]
    event = int(np.argmax(shares)) if case.left_out is None else case.left_out
    profiles = engine.profile(without(case.profiles.histories, np.array([event])), case.profiles.personal)
    ranking = engine.recommend(profiles, max(case.top, LOOKED_AT))
    place = np.flatnonzero(ranking.items[0] == items[0])
    best = [
        RankedItem(_id(case, int(item)), _title(case, int(item)), float(score))
        for item, score in zip(ranking.items[0][: case.top], ranking.scores[0], strict=False)
        if item >= 0
    ]
    score = float(scores(engine, profiles, items)[0, 0])
    return Without(event + 1, score, int(place[0]) + 1 if len(place) else None, tuple(best))


def _id(case: _Case, item: int) -> str:
    return str(case.engine.shelf.catalogue[ITEM_ID][item].as_py())


def _title(case: _Case, item: int) -> str:
    return titles(case.engine.shelf.catalogue.slice(item, 1))[0]
