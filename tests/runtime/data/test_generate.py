"""The made-up shop: exact counts, skew, something to learn, equal bytes, and files that ingest reads whole."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from engine_runtime.data import generate as module
from engine_runtime.data import world_events
from engine_runtime.data.config_file import load_config
from engine_runtime.data.generate import generate
from engine_runtime.data.ingest import ingest
from engine_runtime.data.stored import read_histories
from engine_runtime.data.world import World
from engine_runtime.data.world_events import history_lengths
from engine_runtime.errors import UsageError

WORLD = World(n_users=300, n_items=400, n_events=4000, seed=3)


@pytest.fixture
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(world_events, "BLOCK_EVENTS", 700)
    monkeypatch.setattr(module, "BLOCK_ITEMS", 150)


def contents(folder: Path) -> dict[str, bytes]:
    """Bytes of each file."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def rows(folder: Path) -> list[dict[str, Any]]:
    """All events."""
    found: list[dict[str, Any]] = pq.read_table(folder / "events").to_pylist()
    return found


@pytest.mark.usefixtures("small_blocks")
def test_what_is_made_is_what_was_asked_for(tmp_path: Path) -> None:
    """Ingest takes every row: the users, items and events asked for, none refused."""
    told: list[int] = []
    config = generate(WORLD, tmp_path / "raw", advance=told.append)
    settings = load_config(config)
    made = ingest(settings, [config.parent / "events"], [config.parent / "items.parquet"], [], tmp_path / "dataset")
    info = made.info
    assert (info.n_users, info.n_items, info.n_events, info.n_rejects) == (300, 400, 4000, 0)
    assert info.n_items_without_text == 0
    assert len(told) > 3
    assert sum(told) == 4000
    assert int(read_histories(made).lengths.min()) >= 1


@pytest.mark.usefixtures("small_blocks")
def test_one_seed_gives_the_same_bytes(tmp_path: Path) -> None:
    """The same seed writes the same files, another seed others."""
    for name, world in (("a", WORLD), ("b", WORLD), ("c", World(300, 400, 4000, seed=4))):
        generate(world, tmp_path / name)
    assert contents(tmp_path / "a") == contents(tmp_path / "b")
    assert contents(tmp_path / "a")["items.parquet"] != contents(tmp_path / "c")["items.parquet"]


def test_times_and_prices(tmp_path: Path) -> None:
    """A file is in order of time, within 2024; quantity and price go with what was bought and with nothing else."""
    generate(WORLD, tmp_path)
    found = rows(tmp_path)
    times = [row["time"] for row in found]
    assert times == sorted(times)
    assert times[0] >= 1_704_067_200
    assert times[-1] < 1_735_689_600
    assert {row["type"] for row in found} == {"view", "cart", "buy"}
    assert all((row["type"] == "buy") == (row["price"] is not None) == (row["quantity"] is not None) for row in found)
    prices = {row["item_id"]: row["price"] for row in pq.read_table(tmp_path / "items.parquet").to_pylist()}
    assert all(row["price"] in (None, prices[row["item_id"]]) for row in found)


def test_popularity_and_lengths_are_skewed(tmp_path: Path) -> None:
    """A tenth of the items has over a quarter of the events; the mean history is well longer than the median one."""
    generate(WORLD, tmp_path)
    counts = sorted(Counter(row["item_id"] for row in rows(tmp_path)).values(), reverse=True)
    assert sum(counts[:40]) > 1000
    lengths = history_lengths(World(5000, 10, 100_000))
    assert lengths.sum() == 100_000
    assert lengths.min() >= 1
    assert lengths.mean() > 1.5 * np.median(lengths)


def test_there_is_something_to_learn(tmp_path: Path) -> None:
    """A user's next item is of the kind before it far more often than chance has it, and of its brand."""
    generate(World(200, 2000, 6000), tmp_path)
    items = {row["item_id"]: row for row in pq.read_table(tmp_path / "items.parquet").to_pylist()}
    walks: dict[str, list[dict[str, Any]]] = {}
    for row in rows(tmp_path):
        walks.setdefault(row["user_id"], []).append(items[row["item_id"]])
    pairs = [pair for walk in walks.values() for pair in pairwise(walk)]
    for column, least in (("category", 0.5), ("brand", 0.3)):
        shares = Counter(item[column] for walk in walks.values() for item in walk)
        chance = sum((n / 6000) ** 2 for n in shares.values())
        kept = sum(a[column] == b[column] for a, b in pairs) / len(pairs)
        assert kept > max(least, 5 * chance)


@pytest.mark.parametrize("world", [World(1, 1, 1), World(3, 1, 9), World(2, 9, 50), World(1, 17, 40)])
def test_the_smallest_shops(world: World, tmp_path: Path) -> None:
    """One user, one item and series cut short are made like any other."""
    generate(world, tmp_path)
    known = set(pq.read_table(tmp_path / "items.parquet")["item_id"].to_pylist())
    found = rows(tmp_path)
    assert len(found) == world.n_events
    assert {row["item_id"] for row in found} <= known
    assert len(known) == world.n_items
    assert len({row["user_id"] for row in found}) == world.n_users


@pytest.mark.parametrize("sizes", [(0, 1, 1, 0), (1, 0, 1, 0), (2, 1, 1, 0), (1, 1, 1, -1)])
def test_impossible_sizes(sizes: tuple[int, int, int, int]) -> None:
    """No users, no items, fewer events than users and a negative seed are refused."""
    with pytest.raises(UsageError):
        World(*sizes)


def test_nothing_is_overwritten_unasked(tmp_path: Path) -> None:
    """A folder with such files is left alone, unless they may be replaced; then no old part stays."""
    generate(World(5, 5, 5), tmp_path)
    with pytest.raises(UsageError, match="--force"):
        generate(WORLD, tmp_path)
    (tmp_path / "events" / "part-99999.parquet").write_bytes(b"old")
    generate(WORLD, tmp_path, replace=True)
    assert len(rows(tmp_path)) == 4000


def test_titles_are_as_long_as_real_ones(tmp_path: Path) -> None:
    """A title has at least ten words, its thing and brand among them, and few titles are said twice."""
    generate(World(5, 2000, 50), tmp_path)
    found = pq.read_table(tmp_path / "items.parquet").to_pylist()
    for row in found:
        words = row["title"].replace(",", "").split()
        assert 10 <= len(words) <= 20
        assert {row["brand"], row["category"].split(" > ")[1]} <= set(words)
    assert len({row["title"] for row in found}) == 2000
