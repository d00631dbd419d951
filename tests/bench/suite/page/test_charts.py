"""Curves as SVG."""

from __future__ import annotations

from dataclasses import replace
from xml.etree import ElementTree as ET

from engine_bench.suite.page.charts import BOTTOM, LEFT, RIGHT, TOP, Chart, Rule, Series, draw
from engine_bench.suite.page.scales import linear

POINTS = ((0.0, 10.0), (5.0, 20.0), (10.0, 15.0))
CHART = Chart(
    *("one", "A title", "What is seen.", "across", "up", linear([0, 10]), linear([10, 20])),
    (Series("a <b>", POINTS, ("first", "second", "third")),),
)


def drawn(chart: Chart) -> ET.Element:
    return ET.fromstring(draw(chart))  # noqa: S314 - what is parsed was made here


def test_every_point_is_drawn_inside_and_says_its_values() -> None:
    """Each point is a mark within the axes, with its words for whoever points at it."""
    marks = [mark for mark in drawn(CHART).iter("circle") if mark.find("title") is not None]
    assert [mark.findtext("title") for mark in marks] == ["first", "second", "third"]
    assert all(
        LEFT <= float(mark.attrib["cx"]) <= RIGHT and TOP <= float(mark.attrib["cy"]) <= BOTTOM for mark in marks
    )
    assert float(marks[1].attrib["cy"]) < float(marks[2].attrib["cy"])


def test_image_is_named_by_title_and_description() -> None:
    """The drawing points to its title and its description."""
    image = next(one for one in drawn(CHART).iter("svg") if one.attrib.get("role") == "img")
    assert image.attrib["aria-labelledby"] == "one-title one-desc"
    assert (image.findtext("title"), image.findtext("desc")) == ("A title", "What is seen.")


def test_one_line_needs_no_key() -> None:
    """A key is there where there are several lines, and names each of them once."""
    assert drawn(CHART).find("ul") is None
    second = replace(CHART.series[0], name="c", kind=1)
    key = drawn(replace(CHART, series=(*CHART.series, second, second))).find("ul")
    assert key is not None
    assert ["".join(entry.itertext()) for entry in key] == ["a <b>", "c"]


def test_rules_cross_the_drawing() -> None:
    """A rule is a line at its value with its word beside it."""
    found = drawn(replace(CHART, rules=(Rule(15.0, "level"), Rule(5.0, "best", upright=True))))
    level, best = (line for line in found.iter("line") if line.attrib["class"] == "rule")
    assert level.attrib["y1"] == level.attrib["y2"]
    assert best.attrib["x1"] == best.attrib["x2"]
    assert {"level", "best"} <= {text.text for text in found.iter("text")}
