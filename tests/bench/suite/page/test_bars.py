"""Shares as bars."""

from __future__ import annotations

from xml.etree import ElementTree as ET

import pytest

from engine_bench.suite.page.bars import Split, draw_splits
from engine_bench.suite.page.charts import WIDTH


def test_bars_fill_the_width_by_share() -> None:
    """Parts lie side by side in proportion, large ones with their share written in, and one key names all."""
    split = Split(
        "offline", {"search": 3.0, "rank": 1.0, "write": 0.01}, {"search": "3 s", "rank": "1 s", "write": "10 ms"}
    )
    drawn = ET.fromstring(draw_splits("x", "Shares", "In words.", (split, split)))  # noqa: S314 - made here
    parts = [part for part in drawn.iter("rect") if part.find("title") is not None]
    assert len(parts) == 6
    assert float(parts[1].attrib["x"]) == pytest.approx(WIDTH * 3 / 4.01, abs=0.01)
    assert [text.text for text in drawn.iter("text")][:3] == ["offline", "75%", "25%"]
    assert ["".join(entry.itertext()) for entry in drawn.iter("li")] == ["search", "rank", "write"]
