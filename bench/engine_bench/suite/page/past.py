"""Records of one target and machine over time: a small chart for each scenario, with its steps marked, and one table.

Knows records in order; where a new level begins it is told by a function that it is given.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median
from typing import TypeAlias

from engine_bench.suite.page.charts import Chart, Rule, Series, draw
from engine_bench.suite.page.markup import Markup
from engine_bench.suite.page.rows import slug
from engine_bench.suite.page.scales import Scale, linear
from engine_bench.suite.page.tables import UNKNOWN, Cell, Column, Table, figure, words
from engine_bench.suite.page.units import Measure, measure
from engine_bench.suite.record import Record, Row

FindSteps: TypeAlias = Callable[[str, Sequence[float]], Sequence[int]]
"""From a figure's name and its values in order to the places, rising, at which another level begins."""

RATES, TIMES = "_per_second", "_seconds"
LEAST_RUNS = 2
TICKS = 4
SHORT = 8


@dataclass(frozen=True)
class Track:
    """One figure of one scenario over time.

    Attributes
    ----------
    scenario
        Its name.
    measure
        How the figure is read.
    places
        Numbers of the records that have it, rising.
    values
        The figure in each of them.
    steps
        Those of `places`, by number in this list, at which another level begins.
    """

    scenario: str
    measure: Measure
    places: tuple[int, ...]
    values: tuple[float, ...]
    steps: tuple[int, ...]


def tracks(records: Sequence[Record], find_steps: FindSteps) -> tuple[Track, ...]:
    """The leading figure of each scenario of the newest record, as far back as it is known."""
    found = []
    for row in records[-1].rows if records else ():
        name = _leading(row)
        known = [(place, _value(record, row.scenario, name)) for place, record in enumerate(records)]
        there = [(place, value) for place, value in known if value is not None]
        if name is None or len(there) < LEAST_RUNS:
            continue
        values = tuple(value for _, value in there)
        steps = tuple(find_steps(name, values)) if min(values) > 0 else ()
        found.append(Track(row.scenario, measure(name, values[-1]), tuple(p for p, _ in there), values, steps))
    return tuple(found)


def draw_track(track: Track, records: Sequence[Record]) -> Markup:
    """Every run as a point, the level of each stretch as a line, and an upright line where a level begins."""
    factor = track.measure.factor
    points = tuple((float(place), value * factor) for place, value in zip(track.places, track.values, strict=True))
    says = tuple(
        f"{_day(records[place])}, {_commit(records[place])}: {track.measure.text(value)} {track.measure.unit}"
        for place, value in zip(track.places, track.values, strict=True)
    )
    level = Series("level", tuple(_levels(track)), (), 1)
    rules = [Rule(track.places[step] - 0.5, _moved(track, step), upright=True) for step in track.steps]
    told = f"New levels begin at {_when(track, records)}." if track.steps else "No step was found."
    name, title = f"past-{slug(track.scenario)}", f"{track.scenario}: {track.measure.titled}"
    axes = (_dates(records), linear(y for _, y in points))
    series = (level, Series("run", points, says, 0, joined=False))
    about = f"{len(points)} runs. {told}"
    return draw(Chart(name, title, about, "runs, oldest first", track.measure.titled, *axes, series, tuple(rules)))


def table(found: Sequence[Track], records: Sequence[Record]) -> Table:
    """A row for each record; where a level begins it says so."""
    columns = [Column("started", "Started, UTC"), Column("commit", "Commit")]
    columns += [
        Column(f"{track.scenario} {track.measure.name}", f"{track.scenario}: {track.measure.titled}") for track in found
    ]
    columns.append(Column("steps", "New level in"))
    rows = []
    for place, record in enumerate(records):
        begun = [track.scenario for track in found if place in (track.places[step] for step in track.steps)]
        cells = [words(record.started), words(_commit(record), record.commit or "")]
        rows.append((*cells, *(_at(track, place) for track in found), words(", ".join(begun))))
    return Table("history", "Every run on this machine, oldest first", tuple(columns), tuple(rows), folded=True)


def _at(track: Track, place: int) -> Cell:
    value = track.values[track.places.index(place)] if place in track.places else None
    return figure(value, track.measure.text)


def _leading(row: Row) -> str | None:
    """The rate of a scenario, otherwise its first duration; None where it has neither."""
    for ending in (RATES, TIMES):
        for name in row.figures:
            if name.endswith(ending):
                return name
    return None


def _value(record: Record, scenario: str, name: str | None) -> float | None:
    row = record.row(scenario)
    found = None if row is None or name is None else row.figures.get(name)
    return None if found is None else found.value


def _pieces(track: Track) -> list[tuple[int, int]]:
    return list(pairwise([0, *track.steps, len(track.values)]))


def _levels(track: Track) -> list[tuple[float, float]]:
    """Corners of the line of medians."""
    corners = []
    for start, stop in _pieces(track):
        level = median(track.values[start:stop]) * track.measure.factor
        first, last = track.places[start], track.places[stop - 1]
        corners += [(first - 0.5 if start else first, level), (last + 0.5 if stop < len(track.values) else last, level)]
    return corners


def _moved(track: Track, step: int) -> str:
    """By how much the level before a step changes, in per cent."""
    pieces = _pieces(track)
    number = next(number for number, (start, _) in enumerate(pieces) if start == step)
    before, after = (median(track.values[start:stop]) for start, stop in pieces[number - 1 : number + 1])
    return f"{after / before - 1:+.1%}".replace("-", "−").replace("%", " %")


def _when(track: Track, records: Sequence[Record]) -> str:
    return ", ".join(f"{_day(records[track.places[step]])} ({_moved(track, step)})" for step in track.steps)


def _dates(records: Sequence[Record]) -> Scale:
    """An axis of runs, with the days of a few of them."""
    last = max(len(records) - 1, 1)
    places = sorted({round(last * number / TICKS) for number in range(TICKS + 1)})
    ticks = [(float(place), _day(records[place])[5:]) for place in places if place < len(records)]
    return Scale(-0.5, last + 0.5, float, tuple(ticks))


def _day(record: Record) -> str:
    return record.started[:10]


def _commit(record: Record) -> str:
    return UNKNOWN if record.commit is None else record.commit[:SHORT]
