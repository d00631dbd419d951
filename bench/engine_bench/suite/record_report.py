"""A record as tables and lines; knows nothing of how it was measured."""

from __future__ import annotations

from engine_bench.sheets import Sheet
from engine_bench.suite.histogram import Interval
from engine_bench.suite.record import Record, Row

BESIDE = ("scenario", "NDCG@10", "Recall@10", "real tokens", "padded", "others' CPUs")


def sheets(record: Record) -> list[Sheet]:
    """Figures, stages and curves of all rows."""
    figures = [(row.scenario, name, *_cells(name, found)) for row in record.rows for name, found in row.figures.items()]
    stages = [
        (row.scenario, stage, f"{spent.wall:.3f}", f"{spent.cpu:.3f}")
        for row in record.rows
        for stage, spent in row.stages.items()
    ]
    beside = [_beside(row) for row in record.rows]
    return [
        Sheet("figures", ("scenario", "figure", "value", "95 % interval"), tuple(figures)),
        Sheet("stages", ("scenario", "stage", "wall s", "CPU s"), tuple(stages)),
        Sheet(
            "beside them", ("scenario", "NDCG@10", "Recall@10", "real tokens", "padded", "others' CPUs"), tuple(beside)
        ),
        *(_curve(row) for row in record.rows if row.curve),
    ]


def notes(record: Record) -> list[str]:
    """What a reader must know, a line each."""
    return [f"{row.scenario}: {note}" for row in record.rows for note in row.notes]


def facts(record: Record) -> dict[str, str]:
    """What the record holds for."""
    card = record.machine
    return {
        "target": f"{record.target}, {record.artefacts['precision']}",
        "processor": f"{card.processor}, {card.cpus} CPUs",
        "machine's card": card.digest,
        "bundle": record.artefacts["bundle"],
        "commit": record.commit or "unknown",
        "took": f"{record.seconds:.0f} s",
    }


def _cells(name: str, found: Interval) -> tuple[str, str]:
    span = "" if found.low is None or found.high is None else f"{_told(name, found.low)} to {_told(name, found.high)}"
    return _told(name, found.value), span


def _told(name: str, value: float) -> str:
    """A figure by its unit: bytes as MB, else four digits that count."""
    if "bytes" in name:
        return f"{value / 1e6:,.1f} MB"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"


def _beside(row: Row) -> tuple[str, ...]:
    quality, tokens = row.quality, row.tokens
    return (
        row.scenario,
        f"{quality.ndcg.value:.4f}",
        f"{quality.recall.value:.4f}",
        f"{tokens['real']:,}" if tokens else "none",
        f"{tokens['padded']:,}" if tokens else "none",
        "unknown" if row.foreign is None else f"{row.foreign:.2f}",
    )


def _curve(row: Row) -> Sheet:
    columns = tuple(dict.fromkeys(name for point in row.curve for name in point.figures))
    points = tuple(
        tuple(_told(name, point.figures[name]) if name in point.figures else "" for name in columns)
        for point in row.curve
    )
    return Sheet(f"{row.scenario}, the curve", columns, points)
