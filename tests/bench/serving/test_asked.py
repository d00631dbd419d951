"""Who is served, and what came next for them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from engine_bench.serving.asked import ask
from engine_runtime.artefacts.dataset import Dataset
from engine_runtime.data.schema import N_EVENTS, PRICE, USER_ID
from engine_runtime.data.stored import read_histories, read_users
from engine_runtime.errors import InputError
from shops import Shop
from tiny import ingest_shop


def test_histories_end_before_what_is_asked_for(visited: Dataset, tmp_path: Path) -> None:
    """Some users, chosen evenly, keep all events but the last, whose item is the target."""
    asked = ask(visited, 10, tmp_path / "asked")
    whole, part = read_histories(visited), read_histories(asked.dataset)
    named = read_users(visited)[USER_ID].to_pylist()
    chosen = [named.index(name) for name in read_users(asked.dataset)[USER_ID].to_pylist()]
    assert len(chosen) == len(set(chosen)) == 10
    expected = whole.take(chosen)
    np.testing.assert_array_equal(asked.targets, expected.last_items())
    for field in ("items", "times", "values", "offsets"):
        np.testing.assert_array_equal(getattr(part, field), getattr(expected.without_last(1), field))


def test_the_smaller_data_set_says_what_it_holds(visited: Dataset, tmp_path: Path) -> None:
    """It counts the chosen users without their test events; the catalogue is whole, absent numbers stay absent."""
    made = ask(visited, 10, tmp_path / "asked").dataset
    Dataset.open(made.root)
    assert (made.info.n_users, made.info.n_events, made.info.n_items) == (10, 40, visited.info.n_items)
    for path in (made.items, made.users):
        assert sum(pq.read_table(path)[N_EVENTS].to_pylist()) == 40
    assert pq.read_table(made.bucket(0))[PRICE].null_count == 40
    assert made.manifest.parents == {"dataset": visited.manifest.digest}


def test_users_stay_in_their_buckets(tmp_path: Path) -> None:
    """The layout is that of the whole data set, so workers have as much to share out."""
    shop = ingest_shop(tmp_path / "shop")
    asked = ask(shop, 1000, tmp_path / "asked")
    assert asked.dataset.info.n_buckets == shop.info.n_buckets > 1
    assert asked.dataset.info.bucket_users[-1] == len(asked.targets) == len(read_histories(asked.dataset))
    assert read_histories(asked.dataset).n_events == asked.dataset.info.n_events


def test_all_users_where_there_are_no_more(visited: Dataset, tmp_path: Path) -> None:
    """More users than there are cannot be asked."""
    assert len(ask(visited, 1000, tmp_path / "asked").targets) == visited.info.n_users


def test_without_a_test_event_there_is_nothing_to_ask(tmp_path: Path) -> None:
    """Histories that are too short are refused."""
    short = Shop(tmp_path).ingest("user,item,time\nu,a,1\nu,b,2\n")
    with pytest.raises(InputError):
        ask(short, 10, tmp_path / "asked")
