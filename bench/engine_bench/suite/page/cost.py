"""What a scenario costs on this machine, in core-hours and in money.

Knows rates, cores and a price; knows nothing of how rates were measured. A core-hour is one of the machine's cores for
an hour, whether it was busy or not: that is what a hirer pays for.
"""

from __future__ import annotations

from dataclasses import dataclass

from engine_bench.suite.card import Card
from engine_bench.suite.histogram import Interval
from engine_bench.suite.record import Record, Row

RATES = ("users_per_second", "requests_per_second")
"""What a scenario serves; a request is for one user."""
HOUR = 3600


@dataclass(frozen=True)
class Price:
    """What one core costs for an hour: an amount above 0, and its currency."""

    amount: float
    currency: str


@dataclass(frozen=True)
class Cost:
    """A scenario's cost.

    Attributes
    ----------
    scenario
        Its name.
    rate
        Users per second.
    per_core_hour
        Users per core-hour.
    per_unit
        Users per unit of the currency; None without a price.
    per_million
        Units of the currency for a million users; None without a price.
    """

    scenario: str
    rate: Interval
    per_core_hour: Interval
    per_unit: Interval | None
    per_million: Interval | None


def cores(card: Card) -> float:
    """Cores that are paid for: the control group's quota where there is one, otherwise all that the process may use."""
    return card.cpus if card.quota is None else min(card.quota, card.cpus)


def served(row: Row) -> Interval | None:
    """Users per second of a scenario; 0 where none could be served as they should be, None where it serves none."""
    return next((row.figures[name] for name in RATES if name in row.figures), None)


def costs(record: Record, price: Price | None) -> tuple[Cost, ...]:
    """The cost of every scenario that serves users at a rate above 0."""
    paid = cores(record.machine)
    found = []
    for row in record.rows:
        rate = served(row)
        if rate is None or rate.value <= 0:
            continue
        hourly = _each(rate, HOUR / paid)
        per_unit = None if price is None else _each(hourly, 1 / price.amount)
        per_million = None if per_unit is None else _inverse(per_unit)
        found.append(Cost(row.scenario, rate, hourly, per_unit, per_million))
    return tuple(found)


def _each(interval: Interval, factor: float) -> Interval:
    low, high = (None if end is None else end * factor for end in (interval.low, interval.high))
    return Interval(interval.value * factor, low, high)


def _inverse(users: Interval) -> Interval:
    """Money for a million users: the ends change places, and an end of 0 users has no price."""
    low, high = (1e6 / end if end else None for end in (users.high, users.low))
    return Interval(1e6 / users.value, low, high)
