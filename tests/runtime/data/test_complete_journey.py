"""The Complete Journey out of a wheel that is made here."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from archives import complete_journey, zipped
from engine_runtime.data.complete_journey import read_wheel


@pytest.fixture
def tables(tmp_path: Path) -> dict[str, list[dict[str, Any]]]:
    with zipfile.ZipFile(zipped(tmp_path / "wheel", complete_journey())) as archive:
        return {name: pq.read_table(io.BytesIO(held)).to_pylist() for name, held in read_wheel(archive).items()}


def test_prices_are_of_one_unit(tables: dict[str, list[dict[str, Any]]]) -> None:
    """A price is a sum by its quantity, petrol is in gallons but for lump sums, and a quantity of 0 is unknown."""
    events = tables["events.parquet"]
    assert [(event["quantity"], event["price_usd"]) for event in events] == [
        (2.0, 1.5),
        (10.0, 2.3),
        (1.0, 15.0),
        (None, None),
        (None, 4.0),
        (3.0, 0.0),
    ]
    assert events[0]["user_id"] == "7"
    assert events[0]["item_id"] == "11"
    assert events[0]["unix_time"] == 1_483_349_415  # 2 January 2017, 09:30:15 UTC


def test_products_and_households(tables: dict[str, list[dict[str, Any]]]) -> None:
    """A title is what a product is and its size, where known; its price is the mean of a unit; attributes are texts."""
    assert [item["title"] for item in tables["items.parquet"]] == ["EGGS - LARGE, 1 DZ", "GASOLINE-REG UNLEADED", None]
    assert tables["items.parquet"][0]["department"] == "GROCERY"
    assert [item["price_usd"] for item in tables["items.parquet"]] == [
        pytest.approx(7 / 3),
        pytest.approx(38 / 11),
        None,
    ]
    assert tables["users.parquet"] == [
        {
            "user_id": "7",
            "age": "65+",
            "income": "35-49K",
            "home_ownership": None,
            "marital_status": "Married",
            "household_size": "2",
            "kids_count": "0",
        }
    ]
