"""An explanation in sentences."""

from __future__ import annotations

import re
from dataclasses import replace

from engine_runtime.profile.because import PHRASES, TYPES, sentences, type_named
from engine_runtime.profile.explanation import (
    ConceptShare,
    EventShare,
    Explanation,
    PastEvent,
    RankedItem,
    Reason,
    Without,
)

EVENTS = (PastEvent(1, "a", "tea cup", "view", None), PastEvent(2, "b", "tea pot", "purchase", None))
REASON = Reason(
    item_id="c",
    title="spoon",
    place=1,
    score=9.0,
    concepts=(ConceptShare(4, "tea", 0.5, 5.0),),
    other_concepts=0.0,
    state=2.0,
    texts=1.0,
    successors=2.0,
    popular=0.0,
    new_item=0.0,
    norm=-1.0,
    events=(EventShare(2, 7.5, 3.0, 0.5, 0.0, 4.0, 6.0), EventShare(1, 2.5, 2.0, 0.0, 0.5, 0.0, 1.0)),
    without=Without(2, 3.0, 7, (RankedItem("d", "lamp", 8.0),)),
)


def said(reason: Reason) -> list[str]:
    return sentences(Explanation("u", "fp32", 2, EVENTS, (), (reason,)), reason)


def test_what_is_said() -> None:
    """Events with the way they count most, parts of the score, and what would be without the first event."""
    assert said(REASON) == [
        (
            'Because of your purchase of "tea pot" (75%: people who took it next took this) and '
            'your view of "tea cup" (25%: the interests it shows).'
        ),
        (
            "In parts: your interest in tea 50%, the course of your events 20%, what people took next 20%, "
            "likeness of texts 10%, the same for every user -10%."
        ),
        'Without your purchase of "tea pot" it would be number 7; number 1 would be "lamp".',
    ]


def test_a_user_without_events() -> None:
    """Of whom nothing is known is told that the item is popular."""
    nothing = replace(REASON, concepts=(), state=0.0, texts=0.0, successors=0.0, norm=0.0, events=(), without=None)
    assert said(replace(nothing, popular=9.0)) == ["In parts: what is popular 100%."]


def test_beyond_the_places() -> None:
    """An item that falls beyond the places that were looked at is said to be not among the first."""
    gone = replace(REASON, without=Without(1, 0.0, None, ()))
    assert said(gone)[-1] == 'Without your view of "tea cup" it would not be among the first.'


def test_what_is_stated_is_said() -> None:
    """What a user has stated is named beside the events, and alone where there are none."""
    both = replace(REASON, norm=0.0, events=REASON.events[1:], stated=2.5)
    assert said(both)[0].endswith("(50%: the interests it shows) and what you have stated of your interests (50%).")
    alone = replace(both, events=(), without=None)
    assert said(alone)[0] == "Because of what you have stated of your interests (100%)."


def test_languages_say_the_same() -> None:
    """Every language has the same phrases with the same blanks."""
    blanks = {
        language: {key: sorted(re.findall(r"{(\w+)", phrase)) for key, phrase in phrases.items()}
        for language, phrases in PHRASES.items()
    }
    assert all(found == blanks["en"] for found in blanks.values())
    assert set(TYPES) == set(PHRASES)


def test_chinese() -> None:
    """The same in Chinese; a type of event that is not known stays as it is named."""
    explanation = Explanation("u", "fp32", 2, EVENTS, (), (REASON,))
    assert sentences(explanation, REASON, language="zh") == [
        "因为你对“tea pot”的购买（75%：选了它的人，接着选了这一件）和你对“tea cup”的浏览（25%：它体现了你的兴趣）。",
        (
            "分数构成：你对“tea”的兴趣 50%、你最近的行为走向 20%、别人接着选了什么 20%、文字描述相近 10%、"
            "对所有人都相同的部分 -10%。"
        ),
        "如果没有你对“tea pot”的购买，它会排在第 7 位，排第一的会是“lamp”。",
    ]
    assert type_named("Purchase", "zh") == "购买"
    assert type_named("wish", "zh") == "wish"
