"""When and how often a user acts, drawn. Knows the habits of an output's row."""

from __future__ import annotations

from collections.abc import Sequence

from engine_runtime.page.charts import bar, columns
from engine_runtime.page.markup import Markup, Part, element
from engine_runtime.page.numbers import percent, percent_text
from engine_runtime.page.parts import figure, paragraph, section, table, unfolded
from engine_runtime.page.person import Person, View
from engine_runtime.profile.because import type_named

EVERY = 6
"""Hours between two labels."""
HABIT_FROM = 3
"""Events from which it is strange that all are at midnight."""


def habits(person: Person, view: View) -> list[Markup]:
    """The section of habits; none for a user without events."""
    found = person.row["habits"]
    if not found["types"]:
        return []
    boxes: list[Part] = []
    if found["hours"] is not None:
        if person.row["n_events"] < HABIT_FROM or found["hours"][0] < 1:
            boxes.append(_hours(found["hours"], view))
        boxes.append(_weekdays(found["weekdays"], view))
    boxes.append(figure(view.say("types"), _types(found["types"], view)))
    return [section(view, "habits", element("div", *boxes, class_="boxes"), *_note(person, view))]


def _note(person: Person, view: View) -> list[Markup]:
    hours = person.row["habits"]["hours"]
    if hours is None:
        return []
    days_alone = person.row["n_events"] >= HABIT_FROM and hours[0] == 1
    return [paragraph(view.say("days_alone" if days_alone else "utc"), "soft")]


def _hours(shares: Sequence[float], view: View) -> Markup:
    names = [view.say("at_hour", hour=hour) for hour in range(len(shares))]
    below = [name if hour % EVERY == 0 else "" for hour, name in enumerate(names)]
    return _chart("hours", "hour", shares, names, below, view)


def _weekdays(shares: Sequence[float], view: View) -> Markup:
    names = [view.say(f"weekday_{day}") for day in range(len(shares))]
    return _chart("weekdays", "day", shares, names, view.say("short_weekdays").split(), view)


def _chart(
    key: str, unit: str, shares: Sequence[float], names: Sequence[str], below: Sequence[str], view: View
) -> Markup:
    largest = max(range(len(shares)), key=lambda place: shares[place])
    most = view.say("most_at", when=names[largest], share=percent_text(shares[largest]))
    says = [f"{name}: {percent_text(share)}" for name, share in zip(names, shares, strict=True)]
    drawn = columns(f"{view.anchor}-chart-{key}", view.say(key), most, shares, below, says)
    rows = [(name, percent(share)) for name, share in zip(names, shares, strict=True)]
    numbers = unfolded(view.say("as_numbers"), table((view.say(unit), view.say("part_of_events")), rows))
    return figure(view.say(key), drawn, paragraph(most, "soft"), numbers)


def _types(types: Sequence[dict[str, float | str]], view: View) -> Markup:
    rows = []
    for kind in types:
        name, share = type_named(str(kind["type"]), view.language), float(kind["share"])
        line = element("span", element("span", name, class_="name"), percent(share), bar(share, 1), class_="line")
        rows.append(element("li", line))
    return element("ul", *rows, class_="bars")
