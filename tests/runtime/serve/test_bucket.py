"""One bucket served."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from engine_runtime.artefacts.output import Output
from engine_runtime.data import reading
from engine_runtime.serve.batch import serve_batch
from engine_runtime.serve.bucket import adapt, serve_bucket
from engine_runtime.serve.engine import Engine
from engine_runtime.serve.stages import Stages
from tiny import World


@pytest.fixture(scope="module")
def output(world: World, engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Output:
    return serve_batch(engine, world.dataset, tmp_path_factory.mktemp("served") / "output", top_k=5)[0]


def test_chosen_users_have_the_rows_of_all(world: World, engine: Engine, output: Output, tmp_path: Path) -> None:
    """A part of some of a bucket's users has their rows and no others, blocks of any size."""
    source = adapt(engine, world.dataset)
    whole = pq.read_table(output.part(0)).to_pylist()
    chosen = np.array([0, 2, 3, len(whole) - 1])
    counts = serve_bucket(source, 0, tmp_path / "part", 5, Stages(), lambda users: None, chosen)
    found = pq.read_table(tmp_path / "part").to_pylist()
    assert [row["user_id"] for row in found] == [whole[row]["user_id"] for row in chosen]
    assert [row["n_events"] for row in found] == [whole[row]["n_events"] for row in chosen]
    for row, expected in zip(found, (whole[row] for row in chosen), strict=True):
        assert np.allclose(row["concepts"], expected["concepts"], atol=1e-6)
        assert [item["item_id"] for item in row["recommendations"]] == [
            item["item_id"] for item in expected["recommendations"]
        ]
    assert counts["users"] == 4
    assert counts["events"] == sum(row["n_events"] for row in found)


def test_a_row_group_is_a_block(world: World, engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Parts are written block by block, so no more than a block is held."""
    monkeypatch.setattr(reading, "BLOCK_USERS", 2)
    made, _ = serve_batch(engine, world.dataset, tmp_path / "output")
    metadata = pq.read_metadata(made.part(0))
    sizes = [metadata.row_group(group).num_rows for group in range(metadata.num_row_groups)]
    assert sum(sizes) == world.dataset.info.bucket_users[1]
    assert set(sizes[:-1]) == {2}
