"""An explanation in sentences, English or Chinese. Pure; knows the explanation alone, nothing of how it was found.

A percentage is a part of all that speaks for an item: of the sum of its positive shares. So what speaks for it is 100 %
together, and what speaks against it has percentages below 0.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from engine_runtime.profile.explanation import EventShare, Explanation, PastEvent, Reason

MOST = 3
LEAST_SAID = 0.005
WAYS = ("concepts", "state", "texts", "successors")

PHRASES: Mapping[str, Mapping[str, str]] = {
    "en": {
        "concepts": "the interests it shows",
        "state": "the course of your events",
        "texts": "its text is alike",
        "successors": "people who took it next took this",
        "event": 'your {type} of "{title}"',
        "between": ", ",
        "last": " and ",
        "because_part": "{event} ({percent:.0%}: {way})",
        "because_stated": "what you have stated of your interests ({percent:.0%})",
        "because": "Because of {events}.",
        "interest": "your interest in {name}",
        "part_interests": "other interests",
        "part_state": "the course of your events",
        "part_texts": "likeness of texts",
        "part_successors": "what people took next",
        "part_popular": "what is popular",
        "part_new_item": "new on the shelf",
        "part_norm": "the same for every user",
        "part": "{name} {percent:.0%}",
        "parts": "In parts: {parts}.",
        "without_place": "Without {event} it would be number {place}{first}.",
        "without_none": "Without {event} it would not be among the first{first}.",
        "first": '; number 1 would be "{title}"',
    },
    "zh": {
        "concepts": "它体现了你的兴趣",
        "state": "你最近的行为走向",
        "texts": "文字描述相近",
        "successors": "选了它的人，接着选了这一件",
        "event": "你对“{title}”的{type}",
        "between": "、",
        "last": "和",
        "because_part": "{event}（{percent:.0%}：{way}）",
        "because_stated": "你自己声明的兴趣（{percent:.0%}）",
        "because": "因为{events}。",
        "interest": "你对“{name}”的兴趣",
        "part_interests": "其他兴趣",
        "part_state": "你最近的行为走向",
        "part_texts": "文字描述相近",
        "part_successors": "别人接着选了什么",
        "part_popular": "热门程度",
        "part_new_item": "新品加分",
        "part_norm": "对所有人都相同的部分",
        "part": "{name} {percent:.0%}",
        "parts": "分数构成：{parts}。",
        "without_place": "如果没有{event}，它会排在第 {place} 位{first}。",
        "without_none": "如果没有{event}，它不会出现在前列{first}。",
        "first": "，排第一的会是“{title}”",
    },
}
"""By language, as ISO 639-1 names it; every language has the same phrases with the same blanks."""

TYPES: Mapping[str, Mapping[str, str]] = {
    "en": {},
    "zh": {
        "view": "浏览",
        "click": "点击",
        "cart": "加购",
        "buy": "购买",
        "purchase": "购买",
        "return": "退货",
        "rating": "评分",
        "review": "评价",
        "like": "喜欢",
        "share": "分享",
        "search": "搜索",
        "play": "播放",
        "read": "阅读",
        "watch": "观看",
    },
}
"""Event types that often come, by language; another stays as the data set names it."""


def sentences(explanation: Explanation, reason: Reason, most: int = MOST, language: str = "en") -> list[str]:
    """Why an item is recommended: by events, by parts, and what would be without the event that adds most.

    Parameters
    ----------
    explanation
        That the reason is part of.
    reason
        Of the item.
    most
        How many events and interests are named.
    language
        One of `PHRASES`.
    """
    said = [
        because(explanation, reason, most, language),
        _by_parts(reason, most, language),
        otherwise(explanation, reason, language),
    ]
    return [sentence for sentence in said if sentence]


def because(explanation: Explanation, reason: Reason, most: int = MOST, language: str = "en") -> str:
    """Of `sentences` the one on events and on what was stated; empty where neither speaks for the item."""
    phrases, events = PHRASES[language], _events(explanation)
    rest = (reason.stated, reason.popular, reason.new_item, reason.norm)
    total = whole([*(share.share for share in reason.events), *rest])
    parts = [
        phrases["because_part"].format(
            event=_called(events[share.place], language), percent=share.share / total, way=phrases[_way(share)]
        )
        for share in [share for share in reason.events if share.share > 0][:most]
    ]
    if reason.stated > 0:
        parts.append(phrases["because_stated"].format(percent=reason.stated / total))
    return phrases["because"].format(events=_listed(parts, phrases)) if parts else ""


def otherwise(explanation: Explanation, reason: Reason, language: str = "en") -> str:
    """Of `sentences` the one on what would be without an event; empty where there is none."""
    other, phrases = reason.without, PHRASES[language]
    if other is None:
        return ""
    another = bool(other.ranking) and other.item_place != 1
    first = phrases["first"].format(title=other.ranking[0].title) if another else ""
    phrase = phrases["without_none" if other.item_place is None else "without_place"]
    event = _called(_events(explanation)[other.place], language)
    return phrase.format(event=event, place=other.item_place, first=first)


def type_named(name: str, language: str) -> str:
    """An event type in a language."""
    return TYPES[language].get(name.lower(), name)


def whole(shares: Sequence[float]) -> float:
    """What percentages are of: the sum of all that speaks for an item, 1 where nothing does."""
    return sum(share for share in shares if share > 0) or 1.0


def _by_parts(reason: Reason, most: int, language: str) -> str:
    phrases = PHRASES[language]
    amounts = [(phrases["interest"].format(name=concept.name), concept.share) for concept in reason.concepts]
    rest = sum(share for _, share in amounts[most:]) + reason.other_concepts
    amounts = [
        *amounts[:most],
        (phrases["part_interests"], rest),
        (phrases["part_state"], reason.state),
        (phrases["part_texts"], reason.texts),
        (phrases["part_successors"], reason.successors),
        (phrases["part_popular"], reason.popular),
        (phrases["part_new_item"], reason.new_item),
        (phrases["part_norm"], reason.norm),
    ]
    total = whole([share for _, share in amounts])
    ordered = sorted(amounts, key=lambda amount: -amount[1])
    said = [
        phrases["part"].format(name=name, percent=share / total)
        for name, share in ordered
        if abs(share) >= LEAST_SAID * total
    ]
    return phrases["parts"].format(parts=phrases["between"].join(said)) if said else ""


def _events(explanation: Explanation) -> Mapping[int, PastEvent]:
    return {event.place: event for event in explanation.events}


def _called(event: PastEvent, language: str) -> str:
    return PHRASES[language]["event"].format(type=type_named(event.type, language), title=event.title)


def _way(share: EventShare) -> str:
    return max(WAYS, key=lambda way: float(getattr(share, way)))


def _listed(parts: Sequence[str], phrases: Mapping[str, str]) -> str:
    return phrases["between"].join(parts[:-1]) + phrases["last"] + parts[-1] if parts[1:] else parts[0]
