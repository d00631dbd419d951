"""The search for traces: what is there is found, wherever it is, and what only looks like it is not."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from engine_runtime.data.tracing import Wanted, scan

VECTOR = np.random.default_rng(1).normal(size=6).astype(np.float32)
SHORT = Wanted(frozenset({"17"}), frozenset({"5"}))
LONG = Wanted(frozenset({"customer-0017"}))


def found(path: Path, wanted: Wanted) -> list[tuple[str, str, int]]:
    """Traces in a place."""
    return [(trace.place, trace.what, trace.count) for trace in scan([path], wanted).traces]


def table(path: Path, **columns: pa.Array) -> Path:
    """Write a table."""
    pq.write_table(pa.table(columns), path, compression="zstd")
    return path


def test_a_short_id_is_looked_for_where_ids_stand(tmp_path: Path) -> None:
    """In a column of users and its footer; an age of 17, an item 17 and a text with 17 in it are no traces."""
    ids = pa.array(["16", "17", "171", "9"])
    other = table(tmp_path / "a.parquet", age=ids, item_id=ids, text=pa.array(["user 17"] * 4))
    assert found(other, SHORT) == []
    assert found(table(tmp_path / "b.parquet", user_id=ids), SHORT) == [("column user_id", "user", 1)]
    last = table(tmp_path / "c.parquet", user_id=pa.array(["12", "17"]))
    assert found(last, SHORT) == [("column user_id", "user", 1), ("footer of user_id", "user", 1)]
    assert found(table(tmp_path / "d.parquet", user_id=pa.array([16, 17])), SHORT) == [("column user_id", "user", 1)]


def test_nested_columns_are_taken_apart(tmp_path: Path) -> None:
    """An item stands among recommendations."""
    lists = pa.array([[{"item_id": "5", "score": 1.0}], [], [{"item_id": "55", "score": 1.0}], None])
    place = table(tmp_path / "a.parquet", recommendations=lists)
    assert ("column recommendations.item_id", "item", 1) in found(place, SHORT)


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("user 17", 1),
        ("user_id=17,", 1),
        ('{"user_id": "17"}', 1),
        ("USER: '17'", 1),
        ("user 171", 0),
        ("users 17", 0),
        ("17 users of 17", 0),
        ("superuser 17", 0),
        ("user  17. user 17", 2),
    ],
)
def test_text_names_a_user(tmp_path: Path, text: str, count: int) -> None:
    """As people and programs write it; packed files are unpacked."""
    (tmp_path / "log").write_text(text)
    (tmp_path / "log.gz").write_bytes(gzip.compress(text.encode()))
    assert found(tmp_path, SHORT) == [("text", "user", count)] * (2 if count else 0)


def test_a_telling_id_is_looked_for_everywhere(tmp_path: Path) -> None:
    """In any bytes and any column, as a word of its own."""
    (tmp_path / "a.bin").write_bytes(b"\x00\x01customer-0017\xff customer-00171 xcustomer-0017")
    assert found(tmp_path / "a.bin", LONG) == [("bytes", "user", 1)]
    texts = pa.array(["bought by customer-0017 today", "customer-00170", None, "z"])
    assert ("column text", "user", 1) in found(table(tmp_path / "b.parquet", text=texts), LONG)


def test_a_vector_is_found_by_its_bytes(tmp_path: Path) -> None:
    """In a packed column, at any place of an array, and in a raw file at any byte; another vector is not it."""
    wanted = Wanted(vectors=frozenset({VECTOR.tobytes()}))
    rows = np.stack([VECTOR + 1, VECTOR, VECTOR * 2]).astype(np.float32)
    fixed = pa.FixedSizeListArray.from_arrays(pa.array(rows.ravel()), 6)
    assert ("column query", "vector", 1) in found(table(tmp_path / "a.parquet", query=fixed), wanted)
    np.save(tmp_path / "b.npy", rows)
    (tmp_path / "c.bin").write_bytes(b"xyz" + VECTOR.tobytes())
    (tmp_path / "d.bin").write_bytes((VECTOR + 1).tobytes())
    for name, count in (("b.npy", 1), ("c.bin", 1), ("d.bin", 0)):
        assert found(tmp_path / name, wanted) == [("bytes", "vector", 1)] * count


def test_what_was_read_is_counted_once(tmp_path: Path) -> None:
    """A place that is given twice is read once."""
    (tmp_path / "a").write_text("nothing")
    read = scan([tmp_path, tmp_path / "a"], SHORT)
    assert (read.files, read.bytes, read.traces) == (1, 7, ())
