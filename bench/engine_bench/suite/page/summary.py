"""What a record comes to for a person who must choose hardware: a few large figures, and sentences.

Knows records and costs; knows nothing of HTML. What was not measured is not spoken of.
"""

from __future__ import annotations

from dataclasses import dataclass

from engine_bench.suite.histogram import Interval
from engine_bench.suite.page.cost import Cost, Price, served
from engine_bench.suite.page.rows import milliseconds
from engine_bench.suite.page.tables import Cell, figure
from engine_bench.suite.page.units import number, seconds, spell
from engine_bench.suite.record import Record, Row

LEVEL = "service_level_seconds"
BUSY = 0.1


@dataclass(frozen=True)
class Headline:
    """A large figure: what it is, its cell, its unit."""

    label: str
    cell: Cell
    unit: str


def headlines(record: Record, costs: tuple[Cost, ...], price: Price | None) -> tuple[Headline, ...]:
    """What it serves, at which latency, at which cost, as good as what."""
    found = []
    single = record.row("single")
    for scenario, label in (("offline", "All users at hand"), ("server", _within(record))):
        rate = _rate(record, scenario)
        if rate is not None:
            found.append(Headline(label, figure(rate.value, number), "users per second"))
    if single is not None and single.latency is not None and single.latency.supports(0.5):
        half = figure(single.latency.quantile(0.5).value, milliseconds)
        found.append(Headline("One user, median", half, "ms"))
    best = _cheapest(costs)
    if best is not None and best.per_million is not None and price is not None:
        found.append(Headline("A million users cost", figure(best.per_million.value, number), price.currency))
    elif best is not None:
        found.append(Headline("A core-hour serves", figure(best.per_core_hour.value, spell), "users"))
    if record.rows:
        found.append(Headline("NDCG@10, whole catalogue", figure(record.rows[0].quality.ndcg.value, number), ""))
    return tuple(found)


def paragraphs(record: Record, costs: tuple[Cost, ...], price: Price | None) -> tuple[str, ...]:
    """The verdict in words: what it serves and how fast, at which cost, how well, and what to doubt."""
    found = (_speeds(record), _money(costs, price) + _goodness(record), _doubts(record))
    return tuple(" ".join(sentences) for sentences in found if sentences)


def setting(record: Record) -> str:
    """What ran, on what, and when."""
    card = record.machine
    ran = f"The {record.artefacts.get('precision', 'only')} variant on {card.processor or 'an unknown processor'}"
    when = f"{record.started[:16].replace('T', ' ')} UTC, {record.seconds / 60:.1f} minutes"
    return f"{ran}, {card.cpus} CPUs. Measured {when}."


def _speeds(record: Record) -> list[str]:
    said = []
    offline, server, single = _rate(record, "offline"), _rate(record, "server"), record.row("single")
    if offline is not None:
        said.append(f"With all users at hand it profiles {number(offline.value)} of them per second.")
    if server is not None and server.value > 0:
        serves = f"With requests that arrive at random it serves {number(server.value)} per second"
        limit = _limit(record)
        said.append(f"{serves} while 99 % of them are answered within {limit}." if limit else f"{serves}.")
    elif server is not None:
        said.append("No rate of requests that was tried keeps the service level.")
    if single is not None and single.latency is not None and single.latency.supports(0.5):
        said.append(f"One user alone has an answer after {_tail(single)}.")
    return said


def _rate(record: Record, scenario: str) -> Interval | None:
    row = record.row(scenario)
    return None if row is None else served(row)


def _limit(record: Record) -> str:
    """The service level of the server; empty where there is none."""
    row = record.row("server")
    return "" if row is None or LEVEL not in row.figures else seconds(row.figures[LEVEL].value)


def _within(record: Record) -> str:
    limit = _limit(record)
    return f"p99 within {limit}" if limit else "As they arrive"


def _tail(row: Row) -> str:
    found = row.latency
    if found is None:
        return ""
    half = f"{seconds(found.quantile(0.5).value)} (median)"
    return half + (f" or {seconds(found.quantile(0.99).value)} (p99)" if found.supports(0.99) else "")


def _money(costs: tuple[Cost, ...], price: Price | None) -> list[str]:
    best = _cheapest(costs)
    if best is None:
        return []
    hours = f"A core-hour serves {spell(best.per_core_hour.value)} users ({best.scenario})"
    if price is None or best.per_unit is None or best.per_million is None:
        return [f"{hours}; give --price to see what that costs."]
    rate = f"{price.amount:.2f} {price.currency} per core-hour"
    return [f"{hours}; at {rate} a million users cost {number(best.per_million.value)} {price.currency}."]


def _goodness(record: Record) -> list[str]:
    if not record.rows:
        return []
    found = record.rows[0].quality
    ends = (found.ndcg.low, found.ndcg.high)
    around = "" if None in ends else f" ({' to '.join(number(end) for end in ends if end is not None)})"
    ranks = f"What ran ranks with NDCG@10 {number(found.ndcg.value)}{around} over the whole catalogue"
    return [f"{ranks}, {found.n_users:,} users asked."]


def _doubts(record: Record) -> list[str]:
    """Scenarios during which others used the machine."""
    busy = [row.scenario for row in record.rows if row.foreign is not None and row.foreign >= BUSY]
    if not busy:
        return []
    most = max(row.foreign for row in record.rows if row.foreign is not None)
    others = f"Other processes kept up to {most:.2f} CPUs busy during {', '.join(busy)}"
    return [f"{others}: alone, the machine would do better."]


def _cheapest(costs: tuple[Cost, ...]) -> Cost | None:
    return max(costs, key=lambda cost: cost.per_core_hour.value, default=None)
