"""Interests as bars that unfold to the events behind them. Knows an explanation, and nothing of how it was found."""

from __future__ import annotations

from collections.abc import Mapping

from engine_runtime.page.charts import bar
from engine_runtime.page.markup import Markup, element
from engine_runtime.page.numbers import fine_percent, percent
from engine_runtime.page.parts import event_named, paragraph, section, unfolded
from engine_runtime.page.person import Person, View
from engine_runtime.profile.explanation import Interest, PastEvent


def interests(person: Person, view: View) -> Markup:
    """The section of interests; says so where none is known."""
    found = person.explanation.interests
    if not found:
        return section(view, "interests", paragraph(view.say("interests_none")))
    events = {event.place: event for event in person.explanation.events}
    largest = max(interest.weight for interest in found)
    rows = [element("li", _interest(interest, events, largest, view)) for interest in found]
    rest = max(0.0, 1.0 - sum(interest.weight for interest in found))
    rows.append(element("li", _line(view.say("other_interests"), rest, largest, kind=6), class_="rest"))
    lead = paragraph(view.say("interests_lead"), "lead")
    return section(view, "interests", lead, element("ul", *rows, class_="bars"))


def _interest(interest: Interest, events: Mapping[int, PastEvent], largest: float, view: View) -> Markup:
    most = len(interest.events) if view.most_events is None else view.most_events
    shown, others = interest.events[:most], interest.events[most:]
    widest = max((part.weight for part in shown), default=0.0) or 1.0
    rows = [
        element(
            "li",
            event_named(view, events[part.place]),
            fine_percent(part.weight),
            bar(part.weight / widest),
            class_="from",
        )
        for part in shown
    ]
    if others:
        count = view.say("other_events_one") if len(others) == 1 else view.say("other_events", count=f"{len(others):,}")
        rows.append(element("li", count, fine_percent(sum(part.weight for part in others)), class_="from soft"))
    if interest.stated:
        rows.append(element("li", view.say("stated"), fine_percent(interest.stated), class_="from"))
    together = element("li", view.say("sums_to"), fine_percent(interest.weight), class_="from sum")
    return unfolded(_line(interest.name, interest.weight, largest), element("ul", *rows, together, class_="events"))


def _line(name: str, weight: float, largest: float, kind: int = 0) -> Markup:
    return element(
        "span", element("span", name, class_="name"), percent(weight), bar(weight / largest, kind), class_="line"
    )
