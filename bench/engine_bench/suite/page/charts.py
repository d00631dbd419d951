"""Curves as SVG: pure functions of their points.

Knows drawing alone; knows nothing of records. Colours and fonts are classes that the page's style sheet fills in, so
that a drawing follows the colour scheme. Every drawing has a title and a description for those who do not see it, and
every point says its values to a pointer that rests on it.
"""

from __future__ import annotations

from dataclasses import dataclass

from engine_bench.suite.page.markup import Child, Markup, join, tag
from engine_bench.suite.page.scales import Scale

WIDTH, HEIGHT = 440.0, 276.0
LEFT, RIGHT, TOP, BOTTOM = 56.0, 428.0, 26.0, 232.0
KINDS = 8
MARK = 3.5


@dataclass(frozen=True)
class Series:
    """A line.

    Attributes
    ----------
    name
        For the key; lines of one name share it.
    points
        Places in the units of the axes, in the order in which they are joined.
    says
        What each point tells, or nothing for a line whose points are not marked.
    kind
        Number of its colour.
    dashed
        Whether the line is broken.
    joined
        Whether points are joined at all.
    """

    name: str
    points: tuple[tuple[float, float], ...]
    says: tuple[str, ...] = ()
    kind: int = 0
    dashed: bool = False
    joined: bool = True


@dataclass(frozen=True)
class Rule:
    """A straight line across the drawing at a value of one axis, with a word beside it."""

    at: float
    text: str
    upright: bool = False


@dataclass(frozen=True)
class Chart:
    """A drawing of curves.

    Attributes
    ----------
    name
        Unique on the page, made of letters and hyphens.
    title
        What is seen.
    description
        What one sees in it, in words.
    across, up
        Titles of the axes.
    x, y
        The axes.
    series, rules
        What is drawn.
    """

    name: str
    title: str
    description: str
    across: str
    up: str
    x: Scale
    y: Scale
    series: tuple[Series, ...]
    rules: tuple[Rule, ...] = ()


def draw(chart: Chart) -> Markup:
    """A figure with its caption and its key."""
    inside = [*_grid(chart), *(_rule(chart, rule) for rule in chart.rules)]
    inside += [_series(chart, series) for series in chart.series]
    drawing = framed(chart.name, chart.title, chart.description, HEIGHT, inside)
    return tag("figure", tag("figcaption", chart.title), drawing, key(chart.series))


def framed(name: str, title: str, description: str, height: float, inside: list[Markup]) -> Markup:
    """An SVG image with its text alternatives."""
    return tag(
        "svg",
        tag("title", title, id=f"{name}-title"),
        tag("desc", description, id=f"{name}-desc"),
        *inside,
        viewBox=f"0 0 {WIDTH:g} {height:g}",
        role="img",
        aria_labelledby=f"{name}-title {name}-desc",
    )


def key(series: tuple[Series, ...]) -> Markup:
    """The key of a drawing; empty where a single line needs none."""
    named = {one.name: one for one in reversed(series) if one.name}
    if len(named) < 2:
        return Markup("")
    entries = [tag("li", _sample(one), one.name) for one in reversed(named.values())]
    return tag("ul", *entries, class_="key")


def _sample(series: Series) -> Markup:
    inside: list[Child] = []
    if series.joined:
        inside.append(tag("line", x1=0.0, y1=6.0, x2=24.0, y2=6.0, class_=_line_class(series)))
    if series.says:
        inside.append(tag("circle", cx=12.0, cy=6.0, r=MARK, class_=f"mark k{series.kind % KINDS}"))
    return tag("svg", *inside, viewBox="0 0 24 12", width=24.0, height=12.0, aria_hidden="true")


def _grid(chart: Chart) -> list[Markup]:
    drawn = []
    for value, text in chart.y.ticks:
        y = chart.y.place(value, BOTTOM, TOP)
        drawn.append(tag("line", x1=LEFT, y1=y, x2=RIGHT, y2=y, class_="grid"))
        drawn.append(tag("text", text, x=LEFT - 7, y=y + 4, class_="tick end"))
    for value, text in chart.x.ticks:
        x = chart.x.place(value, LEFT, RIGHT)
        drawn.append(tag("line", x1=x, y1=BOTTOM, x2=x, y2=BOTTOM + 4, class_="axis"))
        drawn.append(tag("text", text, x=x, y=BOTTOM + 18, class_="tick middle"))
    drawn.append(tag("line", x1=LEFT, y1=BOTTOM, x2=RIGHT, y2=BOTTOM, class_="axis"))
    drawn.append(tag("text", chart.up, x=2.0, y=TOP - 12, class_="name"))
    drawn.append(tag("text", chart.across, x=RIGHT, y=HEIGHT - 6, class_="name end"))
    return drawn


def _rule(chart: Chart, rule: Rule) -> Markup:
    if rule.upright:
        x = chart.x.place(rule.at, LEFT, RIGHT)
        side, place = ("end", x - 5) if x > (LEFT + RIGHT) / 2 else ("", x + 5)
        line = tag("line", x1=x, y1=TOP, x2=x, y2=BOTTOM, class_="rule")
        return join([line, tag("text", rule.text, x=place, y=TOP + 10, class_=f"said {side}".strip())])
    y = chart.y.place(rule.at, BOTTOM, TOP)
    line = tag("line", x1=LEFT, y1=y, x2=RIGHT, y2=y, class_="rule")
    return join([line, tag("text", rule.text, x=LEFT + 6, y=y - 6, class_="said")])


def _series(chart: Chart, series: Series) -> Markup:
    placed = [(chart.x.place(x, LEFT, RIGHT), chart.y.place(y, BOTTOM, TOP)) for x, y in series.points]
    drawn: list[Markup] = []
    if series.joined and len(placed) > 1:
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in placed)
        drawn.append(tag("polyline", points=path, class_=_line_class(series)))
    for (x, y), says in zip(placed, series.says, strict=False):
        circle = tag("circle", tag("title", says), cx=x, cy=y, r=MARK, class_=f"mark k{series.kind % KINDS}")
        drawn.append(circle)
    return join(drawn)


def _line_class(series: Series) -> str:
    return f"line k{series.kind % KINDS}" + (" dashed" if series.dashed else "")
