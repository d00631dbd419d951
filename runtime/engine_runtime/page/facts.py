"""What a user spends, and their attributes. Knows the facets of an output's row, and no drawing but bars."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from engine_runtime.page.charts import bar
from engine_runtime.page.markup import Markup, Part, element
from engine_runtime.page.numbers import amount, money, percent
from engine_runtime.page.parts import figure, paragraph, section
from engine_runtime.page.person import Person, View
from engine_runtime.page.words import attribute


def spending(person: Person, view: View) -> list[Markup]:
    """The section of spending; none for a user none of whose events has a price."""
    found = person.row["spending"]
    if found is None:
        return []
    sums = [("total", money(found["total"], person.currency)), ("quantity", amount(found["quantity"]))]
    if found["mean_price"] is not None:
        sums.append(("mean_price", money(found["mean_price"], person.currency)))
    facts = [element("div", element("dt", view.say(key)), element("dd", value)) for key, value in sums]
    boxes = []
    if found["price_bands"]:
        named = [(view.say(f"band_{one['band']}"), one["share"]) for one in _by_price(found["price_bands"])]
        boxes.append(figure(view.say("bands"), _bars(named, 2), paragraph(view.say("bands_note"), "soft")))
    if found["brands"]:
        named = [(one["brand"], one["share"]) for one in found["brands"]]
        boxes.append(figure(view.say("brands"), _bars(named, 3), paragraph(view.say("brands_note"), "soft")))
    shown = [element("dl", *facts, class_="facts"), *([element("div", *boxes, class_="boxes")] if boxes else [])]
    return [section(view, "spending", *shown)]


def basics(person: Person, view: View) -> list[Markup]:
    """The section of attributes; none where none is known."""
    found = person.row["basics"]
    if not found:
        return []
    facts = [
        element(
            "div",
            element("dt", attribute(view.language, one["name"])),
            element("dd", one["value"], element("span", *_source(one, view))),
        )
        for one in found
    ]
    guessed = any(one["probability"] is not None for one in found)
    note = [paragraph(view.say("basics_note"), "soft")] if guessed else []
    return [section(view, "basics", element("dl", *facts, class_="facts"), *note)]


def _source(basic: Mapping[str, Any], view: View) -> list[Part]:
    """Where an attribute comes from."""
    if basic["probability"] is None:
        return [view.say("given")]
    return [view.say("estimate"), percent(basic["probability"]), view.say("likely")]


def _by_price(bands: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    order = ("low", "middle", "high")
    return sorted(bands, key=lambda one: order.index(one["band"]))


def _bars(named: Sequence[tuple[str, float]], kind: int) -> Markup:
    rows = [
        element(
            "li",
            element("span", element("span", name, class_="name"), percent(share), bar(share, kind), class_="line"),
        )
        for name, share in named
    ]
    return element("ul", *rows, class_="bars")
