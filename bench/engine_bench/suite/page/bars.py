"""Shares as bars that fill the width, one above the other, as SVG.

Knows drawing alone, as `charts` does.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from engine_bench.suite.page.charts import KINDS, WIDTH, framed
from engine_bench.suite.page.markup import Markup, join, tag

ROW, BAR, LABEL = 50.0, 22.0, 16.0
LEAST_LABELLED = 0.09


@dataclass(frozen=True)
class Split:
    """Parts of one whole.

    Attributes
    ----------
    label
        What the whole is.
    parts
        Size of each part, at least 0 and not all of them 0, by name.
    says
        What each part tells, by name.
    """

    label: str
    parts: Mapping[str, float]
    says: Mapping[str, str]


def draw_splits(name: str, title: str, description: str, splits: tuple[Split, ...]) -> Markup:
    """A figure: a bar for each whole, a colour for each name of a part."""
    names = list(dict.fromkeys(part for split in splits for part in split.parts))
    kinds = {part: place % KINDS for place, part in enumerate(names)}
    drawn = [_bar(split, kinds, place * ROW) for place, split in enumerate(splits)]
    key = tag("ul", *(tag("li", _swatch(kinds[part]), part) for part in names), class_="key")
    drawing = framed(name, title, description, ROW * len(splits), drawn)
    return tag("figure", tag("figcaption", title), drawing, key)


def _bar(split: Split, kinds: Mapping[str, int], top: float) -> Markup:
    drawn = [tag("text", split.label, x=0.0, y=top + 13, class_="name")]
    whole, left = sum(split.parts.values()), 0.0
    for part, size in split.parts.items():
        share = size / whole
        width = share * WIDTH
        box = {"x": left, "y": top + LABEL + 4, "width": max(width - 1.5, 0.0), "height": BAR}
        drawn.append(tag("rect", tag("title", split.says[part]), class_=f"part k{kinds[part]}", rx=2.0, **box))
        if share >= LEAST_LABELLED:
            middle = left + width / 2
            text = tag("text", f"{share:.0%}", x=middle, y=top + LABEL + 4 + BAR / 2 + 4, class_="inside middle")
            drawn.append(text)
        left += width
    return join(drawn)


def _swatch(kind: int) -> Markup:
    box = tag("rect", x=0.0, y=0.0, width=12.0, height=12.0, rx=2.0, class_=f"part k{kind}")
    return tag("svg", box, viewBox="0 0 12 12", width=12.0, height=12.0, aria_hidden="true")
