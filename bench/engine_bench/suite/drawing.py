"""A series as a picture of characters: a column for each run, with the level that it belongs to."""

from __future__ import annotations

from collections.abc import Sequence

HEIGHT = 9
POINT, LEVEL = "●", "─"


def draw(values: Sequence[float], levels: Sequence[float]) -> list[str]:
    """Lines from the greatest value down to the least, with the values of the first and the last before them."""
    least, most = min(values), max(values)
    unit = (most - least) / (HEIGHT - 1) or 1.0
    grid = [[" "] * len(values) for _ in range(HEIGHT)]
    for mark, heights in ((LEVEL, levels), (POINT, values)):
        for column, value in enumerate(heights):
            grid[round((most - value) / unit)][column] = mark
    labels = {0: f"{most:,.4g}", HEIGHT - 1: f"{least:,.4g}"}
    width = max(map(len, labels.values()))
    return [f"{labels.get(row, ''):>{width}} │ {''.join(line).rstrip()}" for row, line in enumerate(grid)]
