"""One user, served and ready to be shown."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import tiny
from engine_runtime.data.stored import read_histories, read_users
from engine_runtime.errors import InputError
from engine_runtime.serve.batch import serve_batch
from engine_runtime.serve.engine import Engine
from engine_runtime.serve.portrait import portray
from tiny import World


def test_a_portrait_is_the_user_s_row_of_the_batch(world: World, engine: Engine, tmp_path: Path) -> None:
    """Each user shown alone is the user of the batch, with titles for the items."""
    output, _ = serve_batch(engine, world.dataset, tmp_path / "output", top_k=3)
    served = pa.concat_tables([pq.read_table(output.part(n)) for n in range(3)]).to_pylist()
    called = {item.id: item.title or item.id for item in tiny.shop_items()}
    histories = read_histories(world.dataset)
    catalogue = engine.shelf.catalogue["item_id"].to_pylist()
    for user, row in enumerate(served):
        portrait = portray(engine, world.dataset, row["user_id"], 3)
        ids = [item["item_id"] for item in row["recommendations"]]
        assert [item["item_id"] for item in portrait.row["recommendations"]] == ids
        assert portrait.row["query"] == pytest.approx(row["query"], abs=1e-6)
        assert {name: portrait.row[name] for name in ("habits", "spending", "basics")} == {
            name: row[name] for name in ("habits", "spending", "basics")
        }
        assert portrait.titles == [called[item] for item in ids]
        own = [catalogue[item] for item in histories.take([user]).items.tolist()]
        assert portrait.newest == [called[item] for item in reversed(own)][:5]


def test_a_user_who_is_not_there(world: World, engine: Engine) -> None:
    """An unknown user is named, and how many there are."""
    with pytest.raises(InputError, match="no user 'nobody' among its 23"):
        portray(engine, world.dataset, "nobody")
    assert "nobody" not in read_users(world.dataset)["user_id"].to_pylist()
