"""A comparison of refiners as a table and lines; knows results and nothing of how they came about."""

from __future__ import annotations

import dataclasses

from engine_bench.refiners.contest import Row
from engine_bench.refiners.entry import Found
from engine_bench.report import remarks
from engine_bench.sheets import Sheet, times

QUALITY = ("query least", "query mean", "profile least", "profile mean")
COLUMNS = ("", "users/s", "users/CPU s", "ours is", "CPU s", *QUALITY)
KEY = (
    "users/s: of the clock, users/CPU s: of CPU, medians of the rounds. ours is: so many times as fast in CPU seconds, "
    "median of the ratios within the rounds [least, most]. CPU s: of a round. The last columns are cosines of queries "
    "and profiles to those of the float32 graph, least and mean over the users."
)


def sheet(found: Found) -> Sheet:
    """The table of a comparison."""
    title = (
        f"{found.users:,} users, {found.events:,} events read; one thread each; {len(found.rows[0].laps)} rounds, "
        "every contender once a round in rotated order"
    )
    return Sheet(title, COLUMNS, tuple(_cells(row) for row in found.rows))


def settings(found: Found) -> dict[str, str]:
    """How each contender ran, by name."""
    return {row.name: row.settings for row in found.rows}


def parity(found: Found) -> dict[str, str]:
    """Figures of the parity report of each variant, for people."""
    return {
        f"refiner {variant}": ", ".join(
            f"{name} {value:.5f}" for name, value in dataclasses.asdict(each).items() if value is not None
        )
        for variant, each in found.parity.items()
    }


def notes(found: Found) -> list[str]:
    """Lines after the table: what its columns say, who was left out, who else was on the machine."""
    return [KEY, *remarks((lap for row in found.rows for lap in row.laps), found.left_out)]


def _cells(row: Row) -> tuple[str, ...]:
    cosine = row.cosine
    if cosine is None:
        quality = ("another network", *[""] * (len(QUALITY) - 1))
    else:
        quality = tuple(f"{each:.5f}" for each in dataclasses.astuple(cosine))
    return (
        row.name,
        f"{row.users.median:,.0f}",
        f"{row.users_cpu.median:,.0f}",
        times(row.ours),
        f"{row.cpu:.2f}",
        *quality,
    )
