"""A comparison as tables and lines; knows results and nothing of how they came about."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from engine_bench.peers.registry import ONE_WORKER
from engine_bench.results import Comparison, Latency, Row
from engine_bench.rounds import Lap
from engine_bench.sheets import Sheet, quality_cells, times

QUALITY = ("cosine", "1st %", "least", "overlap@10", "batch")
COLUMNS = ("", "tokens/s", "ours is", "texts/s", "CPU s", "MB", *QUALITY)
LATENCY_COLUMNS = ("", "p50 ms", "p99 ms", "ours is")
KEY = (
    "tokens/s: real tokens, tokenization included, median of the rounds. ours is: so many times as fast, median of the "
    "ratios within the rounds [least, most]. CPU s: of a round. MB: peak memory of the process. Quality is that of the "
    "vectors of the last round, against float32: cosine mean, first percentile and least; share of the ten nearest "
    "neighbours that stay; batch: the largest difference in any number between 20 texts alone and in 50 random batches."
)


def sheets(found: Comparison) -> list[Sheet]:
    """The tables of a comparison."""
    title = (
        f"{found.texts:,} texts, {found.tokens:,} tokens; {found.threads} threads; {found.rounds} rounds, every "
        "peer once a round in rotated order"
    )
    tables = [Sheet(title, COLUMNS, tuple(row_cells(row) for row in found.rows))]
    if found.latency:
        calls = sum(len(lap) for lap in found.latency[0].seconds)
        title = f"one text of {found.short_tokens} tokens at a time, {calls:,} calls each, in turn"
        tables.append(Sheet(title, LATENCY_COLUMNS, tuple(latency_cells(latency) for latency in found.latency)))
    return tables


def row_cells(row: Row) -> tuple[str, ...]:
    """A peer's line: speed and the quality of what ran."""
    return (
        row.name,
        f"{row.tokens.median:,.0f}",
        times(row.ours),
        f"{row.texts:,.0f}",
        f"{row.cpu:.1f}",
        f"{row.peak / 1e6:,.0f}",
        *quality_cells(row.quality),
    )


def latency_cells(latency: Latency) -> tuple[str, ...]:
    """A peer's line of the latency."""
    return latency.name, f"{latency.p50 * 1e3:.2f}", f"{latency.p99 * 1e3:.2f}", times(latency.ours)


def settings(found: Comparison) -> dict[str, str]:
    """How each peer ran, by name."""
    how = {row.name: row.settings for row in found.rows}
    return how | {f"{latency.name}, one text": latency.settings for latency in found.latency}


def notes(found: Comparison) -> list[str]:
    """Lines after the tables: what else follows from the rows, who was left out, who else was on the machine."""
    lines = [KEY]
    if found.threads > 1:
        lines += [
            f"{found.threads} workers are {times(row.ours)} as fast as one."
            for row in found.rows
            if row.name == ONE_WORKER
        ]
    return lines + remarks((lap for row in found.rows for lap in row.laps), found.left_out)


def remarks(laps: Iterable[Lap], left_out: Mapping[str, str]) -> list[str]:
    """Who was left out, and who else was on the machine: lines after any comparison made in rounds."""
    lines = [f"{name} was left out: {why}" for name, why in left_out.items()]
    busiest = max((lap.foreign for lap in laps if lap.foreign is not None), default=None)
    if busiest is not None:
        lines.append(f"Other processes kept {busiest:.2f} CPUs busy during a turn at most.")
    return lines
