"""The files of a data set, read."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from engine_runtime.data.stored import read_bucket, read_catalogue, read_histories, read_users
from engine_runtime.errors import ArtefactError
from shops import EVENTS, ITEMS, Shop

if TYPE_CHECKING:
    from pathlib import Path


def test_reading_buckets(shop: Shop) -> None:
    """Buckets together are all histories, users without events included."""
    rows = "user,item,time\n" + "".join(f"u{n},{'abc'[n % 3]},{n}\n" for n in range(20))
    users = '[users]\nid = "user"\nattributes = ["sex"]\n[ingest]\nbuckets = 3\n'
    dataset = shop.ingest(rows, users="user,sex\nu1,f\nidle,\n", config=EVENTS + ITEMS + users)
    histories = read_histories(dataset)
    assert histories.users.tolist() == list(range(21))
    assert sum(len(read_bucket(dataset, bucket)) for bucket in range(3)) == 21
    assert histories.n_events == 20
    table = read_users(dataset)
    idle = table["user_id"].to_pylist().index("idle")
    assert histories.lengths[idle] == 0
    assert table["n_events"].to_pylist() == histories.lengths.tolist()
    assert dict(zip(table["user_id"].to_pylist(), table["sex"].to_pylist(), strict=True))["u1"] == "f"
    assert read_catalogue(dataset.items)["n_events"].to_pylist() == [7, 7, 6]


def test_a_foreign_table_is_refused(tmp_path: Path) -> None:
    """A file that is no catalogue is refused as damaged."""
    path = tmp_path / "items.parquet"
    with pytest.raises(ArtefactError, match="cannot be read"):
        read_catalogue(path)
    pq.write_table(pa.table({"x": [1]}), path)
    with pytest.raises(ArtefactError, match="columns"):
        read_catalogue(path)
