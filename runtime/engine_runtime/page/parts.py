"""Pieces that several parts of the page are made of: headings, sections, boxes, events. Knows no facet."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from engine_runtime.page.markup import Markup, Part, element
from engine_runtime.page.numbers import date
from engine_runtime.page.person import View
from engine_runtime.profile.because import type_named
from engine_runtime.profile.explanation import PastEvent


def heading(view: View, below: int, *parts: Part, name: str | None = None) -> Markup:
    """A heading, so many levels below that of the user."""
    return element(f"h{view.level + below}", *parts, id=name)


def section(view: View, key: str, *parts: Part) -> Markup:
    """A named part of a user's profile, found under `place_of` of its key."""
    name = place_of(view, key)
    return element(
        "section", heading(view, 1, view.say(key), name=name), *parts, aria_labelledby=name, class_=f"about {key}"
    )


def place_of(view: View, key: str) -> str:
    """The id of a section's heading."""
    return f"{view.anchor}-{key}"


def paragraph(text: Part, kind: str | None = None) -> Markup:
    """A paragraph."""
    return element("p", text, class_=kind)


def figure(caption: str, *parts: Part) -> Markup:
    """A box with a caption."""
    return element("figure", element("figcaption", caption), *parts)


def unfolded(summary: Part, *parts: Part, kind: str | None = None) -> Markup:
    """What is seen once it is opened."""
    return element("details", element("summary", summary), *parts, class_=kind)


def table(heads: Sequence[str], rows: Sequence[Sequence[Part]], last: Sequence[Part] = ()) -> Markup:
    """A table of names and numbers: the first column names the row, the last row is their sum."""
    head = element("tr", *(element("th", text, scope="col") for text in heads))
    body = [_row(row) for row in rows]
    foot = element("tfoot", _row(last)) if last else ""
    return element("table", element("thead", head), element("tbody", *body), foot)


def _row(cells: Sequence[Part]) -> Markup:
    first, *others = cells
    return element("tr", element("th", first, scope="row"), *(element("td", cell) for cell in others))


def others_counted(view: View, count: int) -> str:
    """How many events are not listed one by one."""
    return view.say("other_events_one") if count == 1 else view.say("other_events", count=f"{count:,}")


def event_named(view: View, event: PastEvent) -> Markup:
    """An event: its title, and below it what it was and when."""
    said: list[Part] = [type_named(event.type, view.language)]
    if event.time is not None:
        said += [" · ", date(datetime.fromisoformat(event.time), view.language)]
    return element(
        "span", element("span", event.title, class_="name"), element("span", *said, class_="soft"), class_="event"
    )
