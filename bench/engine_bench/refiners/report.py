"""A comparison of refiners as a table; knows results and nothing of how they came about."""

from __future__ import annotations

from collections.abc import Sequence

from engine_bench.refiners.contest import Row
from engine_bench.sheets import Sheet, times

COLUMNS = ("", "users/s", "users/CPU s", "ours is", "CPU s", "cosine q least", "mean", "cosine z least", "mean")


def sheet(rows: Sequence[Row], users: int, events: int) -> Sheet:
    """The table: medians of the rounds; ratios are of CPU seconds within the rounds."""
    title = f"{users:,} users, {events:,} events read; one thread each; every contender once a round in rotated order"
    return Sheet(title, COLUMNS, tuple(_cells(row) for row in rows))


def _cells(row: Row) -> tuple[str, ...]:
    cpu = sorted(lap.cpu for lap in row.laps)[len(row.laps) // 2]
    quality = ("another network", "", "", "") if row.cosine is None else tuple(f"{each:.5f}" for each in row.cosine)
    return (
        row.name,
        f"{row.users.median:,.0f}",
        f"{row.users_cpu.median:,.0f}",
        times(row.ours),
        f"{cpu:.2f}",
        *quality,
    )
