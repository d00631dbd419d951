"""Charts of one record: the curves of its scenarios, and the split of its stages.

Knows what a record holds; draws with `charts` and `bars`. What a curve is about is told by the figures of its points.
"""

from __future__ import annotations

from dataclasses import dataclass

from engine_bench.suite.page.bars import Split, draw_splits
from engine_bench.suite.page.charts import Chart, Rule, Series, draw
from engine_bench.suite.page.cost import served
from engine_bench.suite.page.markup import Markup
from engine_bench.suite.page.rows import slug
from engine_bench.suite.page.scales import linear, logarithmic
from engine_bench.suite.page.units import measure, number, seconds
from engine_bench.suite.record import Point, Record, Row

RATE, P99, LEVEL = "requests_per_second", "p99_seconds", "service_level_seconds"
RECALL, QUERIES = "recall", "queries_per_second"
MEMORY = "rss_bytes"

RATE_LEAD = (
    "Requests arrive at random moments, whatever the server does, and each is timed from the moment planned for it. "
    "The upright line is the highest rate that keeps the service level."
)
SEARCH_LEAD = "Recall is the share of the ten exact neighbours that the index finds; up and to the right is better."
MEMORY_LEAD = "Memory that goes on rising would be a leak."


@dataclass(frozen=True)
class Curve:
    """A heading, what it means, and the drawing; None for a curve that is known by its points alone."""

    heading: str
    lead: str
    drawing: Markup | None


def curve(row: Row) -> Curve | None:
    """The curve of a scenario; None where it has none."""
    if _has(row, RATE, P99):
        return Curve("Rate against latency", RATE_LEAD, _rate(row))
    if _has(row, RECALL, QUERIES):
        return Curve("Recall against rate of the search", SEARCH_LEAD, _search(row))
    if _has(row, MEMORY):
        return Curve("Memory over time", MEMORY_LEAD, _memory(row))
    return Curve(f"Curve of {row.scenario}", "Figures that were measured together.", None) if row.curve else None


def stage_bars(record: Record) -> Markup | None:
    """What share of a scenario's wall time each stage took."""
    splits = tuple(_split(row) for row in record.rows if sum(time.wall for time in row.stages.values()) > 0)
    if not splits:
        return None
    told = "; ".join(f"{split.label}: {', '.join(_share(split, part) for part in split.parts)}" for split in splits)
    return draw_splits("stage-bars", "Share of wall time by stage", f"{told}.", splits)


def _rate(row: Row) -> Markup:
    """What p99 becomes as requests arrive faster, with the service level and the highest rate that meets it."""
    points = sorted((point.figures[RATE], point.figures[P99] * 1e3) for point in _points(row, RATE, P99))
    says = tuple(f"{number(rate)} requests per second: p99 {number(time)} ms" for rate, time in points)
    rules, rates, times = [], [rate for rate, _ in points], [time for _, time in points]
    if LEVEL in row.figures:
        limit = row.figures[LEVEL].value
        rules.append(Rule(limit * 1e3, f"service level {seconds(limit)}"))
        times.append(limit * 1e3)
    best = served(row)
    if best is not None and best.value > 0:
        rules.append(Rule(best.value, f"{number(best.value)} per second", upright=True))
        rates.append(best.value)
    name, title = f"curve-{slug(row.scenario)}", "p99 latency against the rate of requests"
    axes = (linear(rates, zero=True), logarithmic(times))
    titles = ("requests per second", "p99 in ms, logarithmic")
    return draw(Chart(name, title, _told(says), *titles, *axes, (Series("p99", tuple(points), says),), tuple(rules)))


def _search(row: Row) -> Markup:
    """How many queries a second each recall of the search costs."""
    found = sorted(_points(row, RECALL, QUERIES), key=lambda point: point.figures[RECALL])
    points = tuple((point.figures[RECALL], point.figures[QUERIES]) for point in found)
    says = tuple(_search_says(point) for point in found)
    name, title = f"curve-{slug(row.scenario)}", "Queries per second against recall"
    axes = (linear(recall for recall, _ in points), logarithmic(rate for _, rate in points))
    titles = ("recall against exact search", "queries per second, logarithmic")
    return draw(Chart(name, title, _told(says), *titles, *axes, (Series("search", points, says),)))


def _memory(row: Row) -> Markup:
    """The process's memory while it goes on working; over the first other figure of the points."""
    found = _points(row, MEMORY)
    across = next((name for name in found[0].figures if name != MEMORY), MEMORY)
    points = tuple((point.figures[across], point.figures[MEMORY] / 1e6) for point in found)
    says = tuple(f"{number(size)} MB" for _, size in points)
    told = f"From {says[0]} at the beginning to {says[-1]} at the end."
    axes = (linear((x for x, _ in points), zero=True), linear((y for _, y in points), zero=True))
    titles = (measure(across, max(x for x, _ in points)).titled, "MB in memory")
    name, title = f"curve-{slug(row.scenario)}", "Memory while it goes on working"
    return draw(Chart(name, title, told, *titles, *axes, (Series("memory", points, says),)))


def _split(row: Row) -> Split:
    says = {name: f"{name}: {seconds(time.wall)} wall, {seconds(time.cpu)} CPU" for name, time in row.stages.items()}
    return Split(row.scenario, {name: time.wall for name, time in row.stages.items()}, says)


def _share(split: Split, part: str) -> str:
    return f"{part} {split.parts[part] / sum(split.parts.values()):.0%}"


def _has(row: Row, *names: str) -> bool:
    return len(_points(row, *names)) > 1


def _points(row: Row, *names: str) -> list[Point]:
    """Those points that can be drawn on a logarithmic axis."""
    return [point for point in row.curve if all(point.figures.get(name, 0) > 0 for name in names)]


def _search_says(point: Point) -> str:
    rest = (
        f"{measure(name, at).label} {number(at)}" for name, at in point.figures.items() if name in ("ef", "breadth")
    )
    known = f"recall {number(point.figures[RECALL], 4)}: {number(point.figures[QUERIES])} queries per second"
    return ", ".join((known, *rest))


def _told(says: tuple[str, ...]) -> str:
    return "; ".join(says) + "."
