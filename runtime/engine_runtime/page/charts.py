"""Bars as SVG that take the width they are given: places across are per cent, so that no letter is stretched.

Knows drawing alone: shares in, markup out.
"""

from __future__ import annotations

from collections.abc import Sequence

from engine_runtime.page.markup import Markup, element

TALL, ABOVE, BELOW = 84.0, 16.0, 20.0
BAR, STACK = 8.0, 22.0
LEAST_LABELLED = 0.1
HOLLOW = 0.22
"""Part of a column's room that is left free."""


def columns(
    name: str, title: str, description: str, shares: Sequence[float], below: Sequence[str], says: Sequence[str]
) -> Markup:
    """Upright bars side by side, the largest marked.

    Parameters
    ----------
    name
        Begins the ids of title and description.
    title, description
        For those who do not see it.
    shares
        At least 0, as parts of 1.
    below
        Text under each bar; an empty one is left out.
    says
        What each bar tells.
    """
    largest, room = max(shares, default=0.0) or 1.0, 100 / max(1, len(shares))
    floor = ABOVE + TALL
    drawn = [element("line", x1="0", x2="100%", y1=floor, y2=floor, class_="axis")]
    for place, share in enumerate(shares):
        height, left = share / largest * TALL, place * room
        drawn.append(
            element(
                "rect",
                element("title", says[place]),
                x=_across(left + room * HOLLOW / 2),
                width=_across(room * (1 - HOLLOW)),
                y=floor - height,
                height=height,
                rx=2.0,
                class_="column most" if share == largest else "column",
            )
        )
        if below[place]:
            drawn.append(element("text", below[place], x=_across(left + room / 2), y=floor + 15))
    titled = [element("title", title, id=f"{name}-title"), element("desc", description, id=f"{name}-desc")]
    named = f"{name}-title {name}-desc"
    return element("svg", *titled, *drawn, role="img", aria_labelledby=named, class_="columns", height=floor + BELOW)


def bar(share: float, kind: int = 0) -> Markup:
    """One lying bar on its track; what it shows is written beside it."""
    track = element("rect", width="100%", height=BAR, rx=4.0, class_="track")
    filled = element("rect", width=_across(100 * min(1.0, max(0.0, share))), height=BAR, rx=4.0, class_=f"part k{kind}")
    return element("svg", track, filled, class_="bar", height=BAR, aria_hidden="true")


def stack(title: str, parts: Sequence[tuple[int, float, str]]) -> Markup:
    """One lying bar of several parts: kind, share of the whole and what it tells; a share below 0 has no room."""
    drawn, left = [], 0.0
    for kind, share, told in parts:
        if share <= 0:
            continue
        wide = {"x": _across(100 * left), "width": _across(100 * share)}
        drawn.append(element("rect", element("title", told), **wide, height=STACK, class_=f"part k{kind}"))
        if share >= LEAST_LABELLED:
            middle = _across(100 * (left + share / 2))
            drawn.append(element("text", f"{share:.0%}", x=middle, y=STACK / 2 + 4, class_="inside"))
        left += share
    return element("svg", *drawn, role="img", aria_label=title, class_="stack", height=STACK)


def swatch(kind: int, *, hollow: bool = False) -> Markup:
    """The colour of a part beside its name."""
    square = element("rect", x=1.0, y=1.0, width=10.0, height=10.0, rx=2.0, class_=f"part k{kind}")
    classes = "swatch hollow" if hollow else "swatch"
    return element("svg", square, width=12, height=12, class_=classes, aria_hidden="true")


def _across(per_cent: float) -> str:
    return f"{per_cent:.3f}%"
