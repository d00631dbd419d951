"""The page as a whole: what it holds equals the record, and it asks nobody for anything."""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import replace
from typing import Any

import msgspec
import pytest

from engine_bench.suite.page.page import report
from engine_bench.suite.record import Record
from page_reading import Cell, Reader
from sample_records import whole_record

FACTORS = {"ms": 1e3, "MB": 1e-6, "kB": 1e-3, "%": 100.0}
TABLES = ["cost", "history", "latencies", "machine", "quality", "scenarios", "stages", "tokens"]


def numbers(value: Any) -> list[float]:
    """Numbers of a JSON value; none of a text or of nothing."""
    return [] if value is None or isinstance(value, str) else value if isinstance(value, list) else [value]


def read(cell: Cell) -> float:
    """The number that a cell shows."""
    return float(cell.text.replace(",", ""))


def test_every_table_equals_its_download(page: Reader) -> None:
    """Behind each cell lie the very numbers of the JSON that the table is downloaded as, row for row."""
    assert set(TABLES) <= page.tables.keys()
    for name in page.tables:
        rows = page.downloads[f"{name}.json"]["rows"]
        grid = page.grid(name)
        assert len(grid) == len(rows) > 0
        for cells, row in zip(grid, rows, strict=True):
            assert [cell.numbers for cell in cells] == [numbers(value) for value in row.values()]


def test_scenarios_equal_the_record(page: Reader, records: list[Record]) -> None:
    """What is read in the table of scenarios is the record's figure in the unit beside it, to three digits."""
    wanted = [(row, name, figure) for row in records[-1].rows for name, figure in row.figures.items()]
    for cells, (row, name, figure) in zip(page.grid("scenarios"), wanted, strict=True):
        scenario, _, value, unit, interval, ndcg = cells[:6]
        assert (scenario.text, value.numbers) == (row.scenario, [figure.value]), name
        assert read(value) == pytest.approx(figure.value * FACTORS.get(unit.text, 1), rel=0.006), name
        assert interval.numbers == [end for end in (figure.low, figure.high) if end is not None], name
        assert ndcg.numbers == [row.quality.ndcg.value]


def test_whole_record_is_downloaded(page: Reader, records: list[Record]) -> None:
    """The record that the page was made of can be had from it as it is."""
    assert msgspec.convert(page.downloads["record.json"], Record, strict=False) == records[-1]


def test_nothing_is_asked_of_anybody(html: str, page: Reader) -> None:
    """Addresses lie within the page, no script is there, and the policy allows the one style sheet alone."""
    assert all(address.startswith(("data:", "#")) for address in page.addresses)
    assert "script" not in page.tags
    assert "http" not in re.sub("http-equiv", "", html)
    style = html.partition("<style>")[2].partition("</style>")[0]
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert f"default-src &#x27;none&#x27;; style-src &#x27;sha256-{digest}&#x27;" in html
    assert 'style="' not in html


def test_ids_are_unique(page: Reader) -> None:
    """No two elements share an id, and every place that is linked to is there."""
    assert len(page.ids) == len(set(page.ids))
    assert {address[1:] for address in page.addresses if address.startswith("#")} <= set(page.ids)


def test_markup_in_a_record_is_text() -> None:
    """A name that looks like markup is shown as it is written."""
    record = whole_record()
    hostile = "</style><script>alert(1)</script><img src=x>"
    rows = tuple(replace(row, scenario=f"{row.scenario} {hostile}", notes=(hostile,)) for row in record.rows)
    page = Reader(report(replace(record, target=hostile, rows=rows)))
    assert not {"script", "img"} & set(page.tags)


def test_record_without_a_past_has_no_history(records: list[Record]) -> None:
    """A single record gives a page without the section, and without a price none of money."""
    page = Reader(report(records[0]))
    assert "history" not in page.tables
    assert all("price_per_million" not in row for row in page.downloads["cost.json"]["rows"])


def test_record_without_rows_is_a_page(records: list[Record]) -> None:
    """A run that measured nothing still says on what it ran."""
    assert "machine" in Reader(report(replace(records[0], rows=()))).tables
