"""Markup in which text stays text."""

from __future__ import annotations

from engine_bench.suite.page.markup import Markup, join, tag


def test_text_is_escaped_and_markup_is_not() -> None:
    """A string among the children is text, an element among them is an element."""
    assert tag("p", "a < b & c", tag("b", "d")) == "<p>a &lt; b &amp; c<b>d</b></p>"


def test_attributes_are_escaped() -> None:
    """An attribute cannot end its quotation."""
    assert tag("a", href='"><script>') == '<a href="&quot;&gt;&lt;script&gt;"></a>'


def test_names_and_kinds_of_attributes() -> None:
    """Underscores become hyphens, one at the end goes, True stands alone, and nothing is written for None or False."""
    drawn = tag("input", type="radio", class_="x", aria_label="y", checked=True, disabled=False, title=None)
    assert drawn == '<input type="radio" class="x" aria-label="y" checked>'


def test_places_are_written_short() -> None:
    """A float has two decimals at most, so that a drawing stays small."""
    assert tag("circle", cx=1.23456, cy=2.0) == '<circle cx="1.23" cy="2"></circle>'


def test_joined_children_are_markup() -> None:
    """What was joined is not escaped again."""
    assert tag("p", join(["<", Markup("<br>")])) == "<p>&lt;<br></p>"
