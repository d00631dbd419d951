"""Bars as drawings."""

from __future__ import annotations

import pytest

from engine_runtime.page.charts import bar, columns, stack
from profile_reading import Node, read


def across(node: Node) -> list[tuple[float, float]]:
    """Where the boxes of a drawing begin and how wide they are, in per cent."""
    boxes = [box.attributes for box in node.all("rect")]
    return [(float(box.get("x", "0%")[:-1]), float(box["width"][:-1])) for box in boxes]


def test_columns_are_as_high_as_their_shares() -> None:
    """The largest fills the height and is marked; all lie side by side."""
    drawn = read(columns("a", "Days", "Most on b", [0.25, 0.5, 0.0], ["a", "", "c"], ["A", "B", "C"]))
    heights = [float(box.attributes["height"]) for box in drawn.all("rect")]
    assert heights == pytest.approx([heights[1] / 2, heights[1], 0.0])
    assert [box.attributes["class"] for box in drawn.all("rect")] == ["column", "column most", "column"]
    assert all(left + width <= 100 for left, width in across(drawn))
    assert [text.text for text in drawn.all("text")] == ["a", "c"]


def test_stack_fills_the_width_with_what_speaks_for() -> None:
    """Parts lie end to end and fill the bar; one below 0 has no room, and a narrow one no label."""
    drawn = read(stack("why", [(0, 0.7, "a"), (1, -0.2, "b"), (2, 0.25, "c"), (3, 0.05, "d")]))
    assert across(drawn) == [(0.0, 70.0), (70.0, 25.0), (95.0, 5.0)]
    assert [text.text for text in drawn.all("text")] == ["70%", "25%"]


def test_bar_stays_within_its_track() -> None:
    """A share beyond the whole is as wide as the track."""
    assert across(read(bar(0.5))) == [(0.0, 100.0), (0.0, 50.0)]
    assert across(read(bar(1.5)))[1] == (0.0, 100.0)
