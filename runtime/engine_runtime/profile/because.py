"""An explanation in English sentences. Pure; knows the explanation alone, and nothing of how it was found.

A percentage is a part of all that speaks for an item: of the sum of its positive shares. So what speaks for it is 100 %
together, and what speaks against it has percentages below 0.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from engine_runtime.profile.explanation import EventShare, Explanation, PastEvent, Reason

MOST = 3
LEAST_SAID = 0.005
WAYS = {
    "concepts": "the interests it shows",
    "state": "the course of your events",
    "texts": "its text is alike",
    "successors": "people who took it next took this",
}


def sentences(explanation: Explanation, reason: Reason, most: int = MOST) -> list[str]:
    """Why an item is recommended: by events, by parts, and what would be without the event that adds most.

    Parameters
    ----------
    explanation
        That the reason is part of.
    reason
        Of the item.
    most
        How many events and interests are named.
    """
    events = {event.place: event for event in explanation.events}
    said = [_by_events(reason, events, most), _by_parts(reason, most), _otherwise(reason, events)]
    return [sentence for sentence in said if sentence]


def _by_events(reason: Reason, events: Mapping[int, PastEvent], most: int) -> str:
    rest = (reason.stated, reason.popular, reason.new_item, reason.norm)
    whole = _whole([*(share.share for share in reason.events), *rest])
    named = [share for share in reason.events if share.share > 0][:most]
    parts = [f"{_called(events[share.place])} ({share.share / whole:.0%}: {WAYS[_way(share)]})" for share in named]
    if reason.stated > 0:
        parts.append(f"what you have stated of your interests ({reason.stated / whole:.0%})")
    if not parts:
        return ""
    return f"Because of {_listed(parts)}."


def _by_parts(reason: Reason, most: int) -> str:
    amounts = [(f"your interest in {concept.name}", concept.share) for concept in reason.concepts]
    rest = sum(share for _, share in amounts[most:]) + reason.other_concepts
    amounts = [
        *amounts[:most],
        ("other interests", rest),
        ("the course of your events", reason.state),
        ("likeness of texts", reason.texts),
        ("what people took next", reason.successors),
        ("what is popular", reason.popular),
        ("new on the shelf", reason.new_item),
        ("the same for every user", reason.norm),
    ]
    whole = _whole([share for _, share in amounts])
    ordered = sorted(amounts, key=lambda amount: -amount[1])
    parts = [f"{name} {share / whole:.0%}" for name, share in ordered if abs(share) >= LEAST_SAID * whole]
    return f"In parts: {', '.join(parts)}." if parts else ""


def _otherwise(reason: Reason, events: Mapping[int, PastEvent]) -> str:
    other = reason.without
    if other is None:
        return ""
    place = "not be among the first" if other.item_place is None else f"be on place {other.item_place}"
    first = f'; first would be "{other.ranking[0].title}"' if other.ranking and other.item_place != 1 else ""
    return f"Without {_called(events[other.place])} it would {place}{first}."


def _called(event: PastEvent) -> str:
    return f'your {event.type} of "{event.title}"'


def _way(share: EventShare) -> str:
    return max(WAYS, key=lambda way: float(getattr(share, way)))


def _whole(shares: Sequence[float]) -> float:
    return sum(share for share in shares if share > 0) or 1.0


def _listed(parts: Sequence[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
