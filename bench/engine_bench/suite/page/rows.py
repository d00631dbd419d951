"""Tables of one record: every scenario's figures, its latencies, its stages, its quality, its cost, and the machine.

Knows what a record holds; knows nothing of HTML. Each function gives None where the record has nothing of the kind.
"""

from __future__ import annotations

import re
from functools import partial

from engine_bench.suite.histogram import Histogram, Interval
from engine_bench.suite.page.cost import Cost, Price
from engine_bench.suite.page.tables import UNKNOWN, Cell, Column, Table, figure, span, words
from engine_bench.suite.page.units import measure, number, short
from engine_bench.suite.record import Quality, Record, Row

SHARES = (0.5, 0.9, 0.95, 0.99, 0.999)
DIGEST_SHOWN = 16
FOLDED_FROM = 10
FEATURES_SHOWN = ("avx2", "avx512f", "avx512_vnni", "avx_vnni", "avx512_bf16", "amx_int8", "asimddp", "i8mm")
SCENARIO = Column("scenario", "Scenario")


def scenarios(record: Record) -> Table:
    """All figures of all scenarios, with quality beside speed."""
    columns = (
        *(SCENARIO, Column("figure", "Figure"), Column("value", "Value"), Column("unit", "Unit")),
        Column("interval", "95 % interval"),
        *(Column("ndcg_at_10", "NDCG@10", True), Column("ndcg_interval", "95 % interval", True)),
        *(Column("recall_at_10", "Recall@10", True), Column("foreign_cpus", "CPUs of others", True)),
    )
    rows = tuple(
        (words(row.scenario), *_measured(name, interval), *_judged(row))
        for row in record.rows
        for name, interval in row.figures.items()
    )
    return Table("scenarios", "Every scenario, with the quality of what ran", columns, rows)


def latencies(record: Record) -> Table | None:
    """Quantiles of the durations of each scenario that has them, with their intervals."""
    columns = [
        SCENARIO,
        Column("from", "Counted from"),
        Column("requests", "Requests"),
        Column("mean_seconds", "Mean, ms"),
    ]
    for share in SHARES:
        named = f"p{share * 100:g}"
        columns += [Column(f"{named}_seconds", f"{named}, ms"), Column(f"{named}_interval", "95 % interval")]
    columns.append(Column("longest_seconds", "Longest, ms"))
    rows = tuple(
        (words(row.scenario), words(since), *_durations(histogram))
        for row in record.rows
        for since, histogram in (("schedule", row.latency), ("start of work", row.service))
        if histogram is not None and len(histogram) > 0
    )
    return Table("latencies", "Latency, in milliseconds", tuple(columns), rows) if rows else None


def stages(record: Record) -> Table | None:
    """Wall and CPU seconds of the stages."""
    columns = (SCENARIO, Column("stage", "Stage"), Column("wall_seconds", "Wall, s"), Column("cpu_seconds", "CPU, s"))
    rows = tuple(
        (words(row.scenario), words(name), figure(time.wall, number), figure(time.cpu, number))
        for row in record.rows
        for name, time in row.stages.items()
    )
    return Table("stages", "Where the time went", columns, rows) if rows else None


def tokens(record: Record) -> Table | None:
    """Positions that the models computed, and how many of them were real."""
    columns = (SCENARIO, Column("positions", "Positions"), Column("count", "Count"))
    rows = tuple(
        (words(row.scenario), words(name), figure(count, partial(number, digits=6)))
        for row in record.rows
        for name, count in row.tokens.items()
    )
    return Table("tokens", "Positions that the models computed", columns, rows) if rows else None


def points(row: Row) -> Table | None:
    """The points of a scenario's curve."""
    if not row.curve:
        return None
    typical = {name: value for point in reversed(row.curve) for name, value in point.figures.items()}
    measures = [measure(name, value) for name, value in typical.items()]
    columns = tuple(Column(found.name, found.titled) for found in measures)
    cells = tuple(tuple(figure(point.figures.get(m.name), m.text) for m in measures) for point in row.curve)
    return Table(
        f"points-{slug(row.scenario)}", f"Points of the curve: {row.scenario}", columns, cells, len(cells) > FOLDED_FROM
    )


def quality(record: Record) -> Table:
    """What the ranking and the parity report say of what ran; scenarios that ran the same share a row."""
    alike: dict[str, tuple[Quality, list[str]]] = {}
    for row in record.rows:
        alike.setdefault(repr(row.quality), (row.quality, []))[1].append(row.scenario)
    columns = (Column("scenarios", "Scenarios"), Column("figure", "Figure"), Column("value", "Value"))
    rows = tuple(
        (words("all" if len(alike) == 1 else ", ".join(names), ", ".join(names)), words(name), figure(value, short))
        for found, names in alike.values()
        for name, value in _qualities(found).items()
    )
    return Table("quality", "Quality of what ran", columns, rows)


def cost(found: tuple[Cost, ...], price: Price | None) -> Table | None:
    """Users per core-hour, and per unit of the currency where there is a price."""
    columns = [
        SCENARIO,
        Column("users_per_second", "Users per second"),
        Column("users_per_core_hour", "Users per core-hour"),
    ]
    columns.append(Column("users_per_core_hour_interval", "95 % interval"))
    if price is not None:
        columns.append(Column("users_per_unit", f"Users per {price.currency}"))
        columns.append(Column("price_per_million", f"{price.currency} per million users"))
        columns.append(Column("price_per_million_interval", "95 % interval"))
    return Table("cost", "What serving costs", tuple(columns), tuple(_priced(one) for one in found)) if found else None


def machine(record: Record) -> Table:
    """The machine's card, and what ran on it."""
    card = record.machine
    facts = {
        "processor": card.processor or UNKNOWN,
        "CPUs": str(card.cpus) + (f", of which {card.quota:g} are granted" if card.quota is not None else ""),
        "features that matter": ", ".join(name for name in FEATURES_SHOWN if name in card.features) or UNKNOWN,
        "caches": ", ".join(f"{name} {_size(size)}" for name, size in card.caches.items()) or UNKNOWN,
        "memory": f"{card.memory / 2**30:.1f} GiB",
        "frequency policy": card.governor or UNKNOWN,
        "boost setting": card.turbo or UNKNOWN,
        **{f"GPU {place}": text for place, text in enumerate(card.gpus)},
        "system": card.kernel,
        **card.libraries,
        "commit": record.commit or UNKNOWN,
        "digest of this card": card.digest,
    }
    rows = [(words(name), words(text)) for name, text in facts.items()]
    rows += [(words(kind), words(text[:DIGEST_SHOWN], text)) for kind, text in record.artefacts.items()]
    columns = (Column("fact", "Fact"), Column("value", "Value"))
    return Table("machine", "The machine and what ran on it", columns, tuple(rows))


def _measured(name: str, interval: Interval) -> tuple[Cell, ...]:
    shown = measure(name, interval.value)
    label, unit = words(shown.label, name), words(shown.unit, shown.base)
    return label, figure(interval.value, shown.text), unit, span(interval, shown.text)


def _judged(row: Row) -> tuple[Cell, ...]:
    ndcg, recall = row.quality.ndcg, row.quality.recall
    return figure(ndcg.value, number), span(ndcg, number), figure(recall.value, number), figure(row.foreign, number)


def _durations(found: Histogram) -> tuple[Cell, ...]:
    cells = [figure(len(found), partial(number, digits=6)), figure(found.mean, milliseconds)]
    for share in SHARES:
        quantile = found.quantile(share) if found.supports(share) else None
        cells.append(figure(None if quantile is None else quantile.value, milliseconds))
        cells.append(span(quantile or Interval(0.0), milliseconds))
    return *cells, figure(found.most, milliseconds)


def slug(text: str) -> str:
    """A name that may stand in an address within the page."""
    return re.sub("[^a-z0-9]+", "-", text.lower()).strip("-")


def milliseconds(value: float) -> str:
    """Seconds of a record as milliseconds."""
    return number(value * 1e3)


def _qualities(found: Quality) -> dict[str, float]:
    ranking = {"NDCG@10": found.ndcg.value, "Recall@10": found.recall.value, "users asked": float(found.n_users)}
    return ranking | found.parity


def _priced(one: Cost) -> tuple[Cell, ...]:
    cells = [words(one.scenario), figure(one.rate.value, number), figure(one.per_core_hour.value, number)]
    cells.append(span(one.per_core_hour, number))
    if one.per_unit is not None and one.per_million is not None:
        cells += [
            figure(one.per_unit.value, number),
            figure(one.per_million.value, number),
            span(one.per_million, number),
        ]
    return tuple(cells)


def _size(size: int) -> str:
    return f"{size / 2**20:g} MiB" if size >= 2**20 else f"{size / 2**10:g} KiB"
