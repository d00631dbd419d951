"""Rows spread over parts by their pseudonyms."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from engine_runtime.serve.spreading import Spread, parts_for


def test_parts_are_powers_of_two() -> None:
    """None is larger than wanted by more than chance, and there are not too many."""
    assert [parts_for(n) for n in (0, 1, 32_768, 32_769, 200_000, 10**9)] == [1, 1, 1, 2, 8, 1024]


def test_leading_bits_say_the_part(tmp_path: Path) -> None:
    """Each row lies in the part of its leading bits, whichever block it came in; a part without rows can be read."""
    names = ["00ff", "3fff", "4000", "ffff"]
    kind = pa.schema([("user_id", pa.string())])
    with Spread(tmp_path, kind, 4) as spread:
        for name in names:
            spread.add(pa.table({"user_id": [name + "0" * 28]}, schema=kind))
    parts = [[name[:4] for name in pq.read_table(spread.path(part))["user_id"].to_pylist()] for part in range(4)]
    assert parts == [["00ff", "3fff"], ["4000"], [], ["ffff"]]
