"""Interests as bars that unfold to the events behind them. Knows an explanation, and nothing of how it was found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from engine_runtime.page.charts import bar
from engine_runtime.page.markup import Markup, element
from engine_runtime.page.numbers import fine_percent, percent
from engine_runtime.page.parts import event_named, others_counted, paragraph, section, unfolded
from engine_runtime.page.person import Person, View
from engine_runtime.profile.explanation import Interest, InterestPart, PastEvent


def interests(person: Person, view: View) -> Markup:
    """The section of interests; says so where none is known."""
    found = person.explanation.interests
    if not found:
        return section(view, "interests", paragraph(view.say("interests_none")))
    events = {event.place: event for event in person.explanation.events}
    largest = max(interest.weight for interest in found)
    rows = [element("li", _interest(interest, events, largest, view)) for interest in found]
    rest = max(0.0, 1.0 - sum(interest.weight for interest in found))
    others = element("span", view.say("other_interests"), class_="name")
    rows.append(element("li", element("span", others, percent(rest), class_="line"), class_="rest"))
    lead = paragraph(view.say("interests_lead"), "lead")
    return section(view, "interests", lead, element("ul", *rows, class_="bars"))


def _interest(interest: Interest, events: Mapping[int, PastEvent], largest: float, view: View) -> Markup:
    shown, others = interest.events[: view.most_events], interest.events[view.most_events :]
    rows = _events(shown, events, view)
    if others:
        told = element("span", others_counted(view, len(others)), class_="soft")
        rows.append(element("li", told, fine_percent(sum(part.weight for part in others)), class_="from"))
    if interest.stated:
        rows.append(element("li", view.say("stated"), fine_percent(interest.stated), class_="from"))
    rows.append(element("li", view.say("sums_to"), fine_percent(interest.weight), class_="from sum"))
    parts = [element("ul", *rows)]
    if others and view.all_events:
        parts.append(unfolded(view.say("one_by_one"), element("ul", *_events(others, events, view))))
    line = _line(interest.name, interest.weight, largest)
    return unfolded(line, element("div", *parts, class_="events"), kind="interest")


def _events(parts: Sequence[InterestPart], events: Mapping[int, PastEvent], view: View) -> list[Markup]:
    """What events add, the bar of the largest full."""
    widest = max((part.weight for part in parts), default=0.0) or 1.0
    return [
        element(
            "li",
            event_named(view, events[part.place]),
            fine_percent(part.weight),
            bar(part.weight / widest),
            class_="from",
        )
        for part in parts
    ]


def _line(name: str, weight: float, largest: float) -> Markup:
    return element("span", element("span", name, class_="name"), percent(weight), bar(weight / largest), class_="line")
