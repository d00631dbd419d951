"""People with all that a page can show, made up: names that look like markup are among it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from engine_runtime.page.person import Person
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
from engine_runtime.profile.written import written

HOSTILE = "<script>alert(\"1\")</script> & 'tea' <b>cup</b>"
HOSTILE_ID = '"><img src=x onerror=alert(1)>#user-2'

EVENTS = (
    PastEvent(1, "a", HOSTILE, "view", "2011-03-05T08:12:00+00:00"),
    PastEvent(2, "b", "Regency teapot, roses", "purchase", "2011-06-17T12:30:00+00:00"),
    PastEvent(3, "c", "Set of 3 cake tins with a pantry design", "purchase", "2011-11-02T13:05:00+00:00"),
)

INTERESTS = (
    Interest(4, "Tea: regency, roses", 0.5, (InterestPart(2, 0.375), InterestPart(1, 0.125), InterestPart(3, 0.0))),
    Interest(9, HOSTILE, 0.25, (InterestPart(3, 0.125), InterestPart(1, 0.0625), InterestPart(2, 0.0625))),
    Interest(1, "Lights", 0.03125, (InterestPart(1, 0.03125), InterestPart(2, 0.0), InterestPart(3, 0.0))),
)

FIRST = Reason(
    item_id="c",
    title="Regency cup and saucer",
    place=1,
    score=9.0,
    concepts=(ConceptShare(4, "Tea: regency, roses", 0.5, 5.0), ConceptShare(1, "Lights", 0.03125, -0.5)),
    other_concepts=0.5,
    state=2.0,
    texts=1.0,
    successors=2.0,
    popular=0.0,
    new_item=0.0,
    norm=-1.0,
    events=(EventShare(2, 7.5, 3.0, 0.5, 0.0, 4.0, 6.0), EventShare(1, 2.5, 2.0, 0.0, 0.5, 0.0, 1.0)),
    without=Without(2, 3.0, 7, (RankedItem("d", "lamp", 8.0),)),
)

SECOND = replace(
    FIRST,
    item_id="<i>",
    title=HOSTILE,
    place=None,
    score=4.25,
    concepts=(ConceptShare(9, HOSTILE, 0.25, 3.0),),
    other_concepts=0.0,
    state=-0.25,
    successors=0.0,
    texts=0.5,
    new_item=0.5,
    norm=0.5,
    events=(EventShare(3, 3.25, 3.0, 0.0, 0.25, 0.0, 3.0),),
    without=Without(3, 1.0, None, ()),
)

ROW: dict[str, Any] = {
    "user_id": "12748",
    "interests": [{"name": one.name, "weight": one.weight} for one in INTERESTS],
    "habits": {
        "hours": [0.0] * 8 + [0.125, 0.0, 0.0, 0.0, 0.25, 0.5] + [0.0] * 9 + [0.125],
        "weekdays": [0.0, 0.25, 0.5, 0.125, 0.125, 0.0, 0.0],
        "days_since_last": 37.5,
        "events_per_week": 0.0625,
        "types": [{"type": "purchase", "share": 0.75}, {"type": "view", "share": 0.25}],
    },
    "spending": {
        "total": 1234.5,
        "quantity": 321.0,
        "mean_price": 3.85,
        "price_bands": [
            {"band": "middle", "share": 0.5},
            {"band": "low", "share": 0.375},
            {"band": "high", "share": 0.125},
        ],
        "brands": [{"brand": "Regency", "share": 0.75}, {"brand": HOSTILE, "share": 0.25}],
    },
    "basics": [
        {"name": "country", "value": "United Kingdom", "probability": None},
        {"name": "age", "value": "35-44", "probability": 0.625},
    ],
    "recommendations": [{"item_id": "c", "score": 9.0}],
    "n_events": 3,
    "as_of": datetime(2011, 12, 9, 12, 50, tzinfo=UTC),
}

NOTHING: dict[str, Any] = ROW | {
    "user_id": HOSTILE_ID,
    "interests": [],
    "habits": {"hours": None, "weekdays": None, "days_since_last": None, "events_per_week": None, "types": []},
    "spending": None,
    "basics": [],
    "n_events": 0,
}

POPULAR = replace(
    FIRST, score=9.0, concepts=(), other_concepts=0.0, state=0.0, texts=0.0, successors=0.0, popular=9.0, norm=0.0,
    events=(), without=None,
)  # fmt: skip


def known(language: str = "en") -> Person:
    """One of whom all is known that can be."""
    said = written(ROW, titles=[FIRST.title, HOSTILE], newest=[EVENTS[2].title], currency="GBP", language=language)
    return Person(ROW, said, "GBP", Explanation("12748", "fp32", 3, EVENTS, INTERESTS, (FIRST, SECOND)))


def unknown(language: str = "en") -> Person:
    """One of whom nothing is known."""
    said = written(NOTHING, titles=[FIRST.title], language=language)
    return Person(NOTHING, said, "", Explanation(HOSTILE_ID, "fp32", 0, (), (), (POPULAR,)))
