"""Tables before they are drawn, and the figures in them; knows nothing of what is tabled."""

from __future__ import annotations

from dataclasses import dataclass

from engine_bench.statistics import Spread
from engine_export.parity import VectorParity


@dataclass(frozen=True)
class Sheet:
    """A table to print.

    Attributes
    ----------
    title
        Above it.
    columns
        Heads.
    rows
        Cells, as many as `columns` each.
    """

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def times(ratio: Spread) -> str:
    """A ratio with its spread."""
    return f"{ratio.median:.2f}x [{ratio.least:.2f}, {ratio.most:.2f}]"


def quality_cells(quality: VectorParity) -> tuple[str, ...]:
    """Cosine mean, first percentile and least, overlap, dependence on the batch."""
    return (
        f"{quality.cosine_mean:.4f}",
        f"{quality.cosine_p1:.4f}",
        f"{quality.cosine_min:.4f}",
        f"{quality.overlap:.4f}",
        f"{quality.invariance:.0e}",
    )
