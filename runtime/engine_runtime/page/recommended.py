"""Recommendations with their reasons. Knows an explanation, and nothing of how it was found."""

from __future__ import annotations

from collections.abc import Sequence

from engine_runtime.page.charts import stack, swatch
from engine_runtime.page.markup import Markup, Part, element
from engine_runtime.page.numbers import percent, percent_text, points
from engine_runtime.page.parts import event_named, heading, others_counted, paragraph, section, table, unfolded
from engine_runtime.page.person import Person, View
from engine_runtime.profile.because import because, otherwise, whole
from engine_runtime.profile.explanation import EventShare, Explanation, Reason

PARTS = ("concepts", "state", "texts", "successors", "popular", "new_item", "norm")
"""What a score is made of, in the order of its colours."""

LEAST_NAMED = 0.005
"""Part of what speaks for an item from which a part is named beside the bar."""


def recommended(person: Person, view: View) -> Markup:
    """The section of recommendations."""
    explanation = person.explanation
    if not explanation.items:
        return section(view, "recommended", paragraph(view.say("recommended_none")))
    cards = [element("li", *_card(explanation, reason, view)) for reason in explanation.items]
    lead = paragraph(view.say("recommended_lead"), "lead")
    return section(view, "recommended", lead, element("ol", *cards, class_="cards"))


def parts_of(reason: Reason) -> list[tuple[str, float]]:
    """What a score is made of, as in `PARTS`; sums to the score."""
    interests = sum(concept.share for concept in reason.concepts) + reason.other_concepts
    return [("concepts", interests), *((name, float(getattr(reason, name))) for name in PARTS[1:])]


def _card(explanation: Explanation, reason: Reason, view: View) -> list[Part]:
    unlisted = reason.place is None
    place = element("span", view.say("not_ranked_mark") if unlisted else str(reason.place), class_="place")
    title = heading(view, 2, place, " ", reason.title)
    said = [
        paragraph(sentence, kind)
        for sentence, kind in (
            (because(explanation, reason, language=view.language), None),
            (otherwise(explanation, reason, view.language), "without"),
        )
        if sentence
    ]
    note = [paragraph(view.say("not_ranked"), "soft")] if unlisted else []
    drawn, key = _made_of(reason, view)
    return [title, *note, *said[:1], drawn, key, *said[1:], _exactly(explanation, reason, view)]


def _made_of(reason: Reason, view: View) -> tuple[Markup, Markup]:
    """The stacked bar of a score, and what its colours mean."""
    found = parts_of(reason)
    total = whole([share for _, share in found])
    shares = [(kind, view.say(f"part_{name}"), share / total) for kind, (name, share) in enumerate(found)]
    told = [(kind, share, f"{name}: {percent_text(share)}") for kind, name, share in shares]
    drawn = stack(view.say("stack", title=reason.title), told)
    named = [
        element("li", swatch(kind, hollow=share < 0), name, " ", percent(share), _against(share, view))
        for kind, name, share in shares
        if abs(share) >= LEAST_NAMED
    ]
    return drawn, element("ul", *named, class_="key")


def _against(share: float, view: View) -> str:
    return f" ({view.say('against')})" if share < 0 else ""


def _exactly(explanation: Explanation, reason: Reason, view: View) -> Markup:
    """Both splits of the score, each with its sum."""
    score = (view.say("score"), points(reason.score))
    parts = [(view.say(f"part_{name}"), points(share)) for name, share in parts_of(reason) if share]
    captions = [heading(view, 3, view.say(key)) for key in ("by_part", "by_event")]
    by_part = table((view.say("part"), view.say("share")), parts, score)
    by_event = table((view.say("event"), view.say("share")), _by_event(explanation, reason, view), score)
    content = [captions[0], by_part, captions[1], by_event]
    others = reason.events[view.most_events :]
    if others and view.all_events:
        told = table((view.say("event"), view.say("share")), _events(explanation, others, view))
        content.append(unfolded(view.say("one_by_one"), told))
    return unfolded(view.say("exact"), element("div", *content, class_="exact"))


def _by_event(explanation: Explanation, reason: Reason, view: View) -> list[Sequence[Part]]:
    rows = _events(explanation, reason.events[: view.most_events], view)
    if others := reason.events[view.most_events :]:
        rows.append((others_counted(view, len(others)), points(sum(share.share for share in others))))
    if reason.stated:
        rows.append((view.say("stated"), points(reason.stated)))
    return [*rows, (view.say("no_event"), points(reason.popular + reason.new_item + reason.norm))]


def _events(explanation: Explanation, shares: Sequence[EventShare], view: View) -> list[Sequence[Part]]:
    events = {event.place: event for event in explanation.events}
    return [(event_named(view, events[share.place]), points(share.share)) for share in shares]
