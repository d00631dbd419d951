"""One page of a whole record with its history, for the tests that read it."""

from __future__ import annotations

import pytest

from engine_bench.suite.page.cost import Price
from engine_bench.suite.page.page import report
from engine_bench.suite.record import Record
from page_reading import Reader
from sample_records import history

STEP = 18


@pytest.fixture(scope="session")
def records() -> list[Record]:
    return history(30, steps=(STEP,))


@pytest.fixture(scope="session")
def html(records: list[Record]) -> str:
    return report(records[-1], Price(0.1, "EUR"), records, lambda figure, values: [STEP] if values[0] > 2000 else [])


@pytest.fixture(scope="session")
def page(html: str) -> Reader:
    return Reader(html)
