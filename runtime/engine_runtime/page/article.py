"""All that is said of one user, in order. Knows the parts; knows nothing of the document around them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from itertools import chain

from engine_runtime.page.facts import basics, spending
from engine_runtime.page.habits import habits
from engine_runtime.page.interests import interests
from engine_runtime.page.markup import Markup, Part, element, joined
from engine_runtime.page.numbers import amount, date, money
from engine_runtime.page.parts import heading, paragraph, place_of, section
from engine_runtime.page.person import Person, View
from engine_runtime.page.recommended import recommended

SMALL_PRINT = ("small_interests", "small_score", "small_state", "small_without", "small_names")
RIGHTS = (("correct", "engine correct"), ("forget", "engine forget"), ("take", "engine explain --json"))
SECTIONS: dict[str, Callable[[Person, View], list[Markup]]] = {
    "interests": lambda person, view: [interests(person, view)],
    "recommended": lambda person, view: [recommended(person, view)],
    "habits": habits,
    "spending": spending,
    "basics": basics,
    "rights": lambda person, view: [_rights(view)],
    "small": lambda person, view: [_small_print(view)],
}
"""Parts by their heading, in order; one that has nothing to say is left out."""


def article(person: Person, view: View, title: str) -> Markup:
    """One user's profile under a heading.

    Parameters
    ----------
    person
        Of whom it tells.
    view
        How it is shown; ids in it begin with its anchor.
    title
        Text of the heading.
    """
    made = {key: parts for key, make in SECTIONS.items() if (parts := make(person, view))}
    links = [element("li", element("a", view.say(key), href=f"#{place_of(view, key)}")) for key in made]
    contents = element("nav", element("ul", *links), aria_label=view.say("sections"), class_="contents")
    head = [
        heading(view, 0, title, name=f"{view.anchor}-name"),
        _when(person, view),
        paragraph(view.say("intro"), "lead"),
    ]
    short = element("div", *(paragraph(sentence) for sentence in person.written), class_="written")
    header = element("header", *head, short, _tiles(person, view), contents)
    return joined([header, *chain.from_iterable(made.values())])


def counted(person: Person, view: View) -> str:
    """How many events there are, in words."""
    count = person.row["n_events"]
    if count < 2:
        return view.say("one_event" if count else "no_events")
    return view.say("n_events", count=f"{count:,}")


def _when(person: Person, view: View) -> Markup:
    said: list[Part] = [view.say("user", user=person.user_id)]
    if person.row["as_of"] is not None:
        said += [" · ", view.say("as_of"), date(person.row["as_of"], view.language)]
    return paragraph(joined(said), "when")


def _tiles(person: Person, view: View) -> Markup:
    """The few numbers that come first."""
    row, found = person.row, person.row["habits"]
    tiles = [("events", amount(row["n_events"]), view.say("tile_events_unit"))]
    if found["days_since_last"] is not None:
        last = row["as_of"] - timedelta(days=found["days_since_last"])
        tiles.append(("rate", amount(found["events_per_week"]), view.say("tile_rate_unit")))
        tiles.append(("last", date(last, view.language), ""))
    if row["spending"] is not None:
        tiles.append(("spent", money(row["spending"]["total"], person.currency), view.say("tile_spent_unit")))
    drawn = [
        element("div", element("dt", view.say(f"tile_{key}")), element("dd", value, " ", element("span", unit)))
        for key, value, unit in tiles
    ]
    return element("dl", *drawn, class_="tiles")


def _rights(view: View) -> Markup:
    said = [
        element(
            "li",
            element("strong", view.say(key)),
            view.say(f"{key}_text"),
            element("code", command),
            view.say("stop"),
        )
        for key, command in RIGHTS
    ]
    return section(view, "rights", element("ul", *said))


def _small_print(view: View) -> Markup:
    return section(view, "small", element("ul", *(element("li", view.say(key)) for key in SMALL_PRINT)))
