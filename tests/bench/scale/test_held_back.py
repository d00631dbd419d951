"""What is kept back: the last new item of some users, never shown, and found again in what was served."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from engine_bench.scale.held_back import gain, hold_back, last_events
from engine_runtime.data.generate import generate
from engine_runtime.data.world import World


def test_the_last_event_is_kept_back() -> None:
    """Every second user loses the last of several events, if its item is new to them."""
    users = ["u0", "u1", "u0", "u2", "u3", "u2", "u4", "u4"]
    items = ["a", "a", "b", "a", "c", "b", "a", "a"]
    chosen = last_events(pa.table({"user_id": users, "item_id": items}), 2)
    assert np.flatnonzero(chosen).tolist() == [2, 5]


def test_nothing_is_lost(tmp_path: Path) -> None:
    """What is shown and what is kept back are all events, and nobody is without any."""
    generate(World(50, 40, 600, seed=1), tmp_path)
    n_shown = hold_back(tmp_path, 50)
    shown, held = pq.read_table(tmp_path / "shown"), pq.read_table(tmp_path / "held.parquet")
    assert len(shown) == n_shown
    assert len(shown) + len(held) == 600
    assert 10 < len(held) <= 50
    assert len(set(shown["user_id"].to_pylist())) == 50


def test_the_gain_of_a_list() -> None:
    """First is 1, second 1 / log2(3), below the tenth or absent nothing."""
    served = [f"i{place}" for place in range(12)]
    assert gain(served, "i0") == 1
    assert np.isclose(gain(served, "i1"), 1 / np.log2(3))
    assert gain(served, "i10") == gain(served, "x") == 0
