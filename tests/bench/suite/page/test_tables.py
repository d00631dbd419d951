"""Tables that are read and downloaded."""

from __future__ import annotations

import json

from engine_bench.suite.histogram import Interval
from engine_bench.suite.page.tables import Cell, Column, Table, document, figure, show, span, words
from engine_bench.suite.page.units import number
from page_reading import Reader

COLUMNS = (Column("name", "Name"), Column("rate", "Rate"), Column("interval", "Interval"), Column("of", "Of", True))


def row(name: str, value: float | None, low: float | None = None) -> tuple[Cell, ...]:
    around = span(Interval(value or 0, low, low), number)
    return words(name, f"{name}!"), figure(value, number), around, figure(7, number)


TABLE = Table("rates", "Rates & more", COLUMNS, (row("a", 1 / 3, 0.25), row("a", None), row("b", 2000.25)))


def test_json_holds_values_as_they_are() -> None:
    """Numbers are not rounded, texts are those of machines, and what is not known is null."""
    assert json.loads(document(TABLE)) == {
        "title": "Rates & more",
        "rows": [
            {"name": "a!", "rate": 1 / 3, "interval": [0.25, 0.25], "of": 7},
            {"name": "a!", "rate": None, "interval": None, "of": 7},
            {"name": "b!", "rate": 2000.25, "interval": None, "of": 7},
        ],
    }


def test_rows_of_a_group_share_cells() -> None:
    """Rows with the same first cell have one head, and one cell in the columns that they share."""
    written = Reader(show(TABLE)).tables["rates"][1:]
    assert [len(cells) for cells in written] == [4, 2, 4]
    assert (written[0][0].rows, written[0][3].rows, written[2][0].rows) == (2, 2, 1)


def test_cells_show_rounded_numbers() -> None:
    """What is read has three digits, an interval has both ends, and a dash stands for what is not known."""
    shown = [[cell.text for cell in cells] for cells in Reader(show(TABLE)).grid("rates")]
    assert shown == [["a", "0.333", "0.250 to 0.250", "7"], ["a", "–", "–", "7"], ["b", "2,000", "–", "7"]]


def test_box_is_named_and_takes_the_focus() -> None:
    """The box in which a wide table scrolls has a role, a name and a place in the order of the keyboard."""
    assert 'role="region" tabindex="0" aria-labelledby="rates-title"' in show(TABLE)
