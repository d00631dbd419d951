"""Ragged histories against plain lists."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine_runtime.artefacts.dataset import Scale
from engine_runtime.data.histories import (
    Histories,
    gap_seconds,
    histories_from,
    model_inputs,
    read_bucket,
    read_catalogue,
    read_histories,
    read_users,
)
from engine_runtime.data.scaling import Moments, scaled, transform
from engine_runtime.errors import ArtefactError, InputError
from shops import EVENTS, ITEMS, Shop

if TYPE_CHECKING:
    from pathlib import Path

LISTS = st.lists(st.lists(st.integers(0, 9), max_size=6), max_size=6)
UNIT = Scale(0.0, 1.0, False)


def lists(histories: Histories) -> list[list[int]]:
    """Items as lists, one a user."""
    return [part.tolist() for part in np.split(histories.items, histories.offsets[1:-1])] if len(histories) else []


@given(LISTS, st.integers(0, 4))
def test_histories_are_lists(items: list[list[int]], n: int) -> None:
    """Lengths, cuts and last items are those of the lists that histories were built from."""
    histories = histories_from(items)
    assert len(histories) == len(items)
    assert histories.lengths.tolist() == [len(one) for one in items]
    assert lists(histories) == items
    assert lists(histories.without_last(n)) == [one[: max(len(one) - n, 0)] for one in items]
    assert lists(histories.newest(n)) == [one[max(len(one) - n, 0) :] for one in items]
    assert histories.last_items().tolist() == [one[-1] if one else -1 for one in items]
    assert histories.last_types().tolist() == [0 if one else -1 for one in items]


@given(LISTS, st.data())
def test_slice_and_take(items: list[list[int]], data: st.DataObject) -> None:
    """A slice and a choice of users are those of the lists."""
    histories = histories_from(items)
    start, stop = data.draw(st.integers(0, 7)), data.draw(st.integers(0, 7))
    assert lists(histories.slice(start, stop)) == items[start:stop]
    rows = data.draw(st.lists(st.integers(0, len(items) - 1), max_size=5)) if items else []
    assert lists(histories.take(rows)) == [items[row] for row in rows]
    assert histories.take(rows).users.tolist() == rows
    inputs, chosen = model_inputs(histories, UNIT, UNIT, 3), model_inputs(histories.take(rows), UNIT, UNIT, 3)
    assert inputs.take(rows).offsets.tolist() == chosen.offsets.tolist()
    assert inputs.take(rows).items.tolist() == chosen.items.tolist()


@settings(max_examples=30)
@given(LISTS, st.integers(1, 4))
def test_model_inputs_keep_the_newest(items: list[list[int]], max_events: int) -> None:
    """A model reads each user's newest events, and knows their rows."""
    histories = histories_from(items)
    inputs = model_inputs(histories, UNIT, UNIT, max_events)
    parts = np.split(inputs.items, inputs.offsets[1:-1]) if items else []
    assert [part.tolist() for part in parts] == [one[-max_events:] for one in items]
    assert np.array_equal(histories.items[inputs.events], inputs.items)
    assert not inputs.values.any()
    assert not inputs.gaps.any()


def test_unordered_events_stay_out_of_cuts_and_inputs() -> None:
    """An event without a place is never dropped as the last one, nor read by a model."""
    base = histories_from([[7, 8], [9]], times=[[50, 60], [70]])
    histories = Histories(**{**vars(base), "ordered": np.array([False, True, False])})
    assert lists(histories.without_last(2)) == [[7], [9]]
    assert histories.last_items().tolist() == [8, -1]
    inputs = model_inputs(histories, UNIT, UNIT, 5)
    assert inputs.items.tolist() == [8]
    assert inputs.offsets.tolist() == [0, 1, 1]
    assert np.isnan(gap_seconds(histories)).all()


def test_gaps_skip_events_without_a_time() -> None:
    """A gap reaches back to the last event with a time, never to another user's, and is never negative."""
    histories = histories_from([[1, 2, 3, 4], [5]], times=[[10, -1, 40, 30], [100]])
    assert np.array_equal(gap_seconds(histories), [np.nan, np.nan, 30, 0, np.nan], equal_nan=True)
    gaps = model_inputs(histories, UNIT, Scale(0.0, 2.0, True), 2).gaps
    assert gaps.tolist() == pytest.approx([np.log1p(30) / 2, 0.0, 0.0], rel=1e-6)


def test_values_are_scaled_and_clipped() -> None:
    """A missing value is 0, the mean, and none leaves plus and minus 5."""
    histories = histories_from([[1, 2, 3]], values=[[3.0, float("nan"), 1e6]])
    assert model_inputs(histories, Scale(1.0, 2.0, False), UNIT, 9).values.tolist() == [1.0, 0.0, 5.0]
    assert scaled(np.array([np.e - 1, 1 - np.e]), Scale(0.0, 1.0, True)).tolist() == [1.0, -1.0]


@pytest.mark.parametrize("name", ["types", "values", "times"])
def test_lists_of_other_lengths_are_refused(name: str) -> None:
    """Lists that do not fit the items are the caller's mistake."""
    with pytest.raises(InputError, match=name):
        histories_from([[1], [2]], **{name: [[1, 2], []]})  # type: ignore[arg-type]
    with pytest.raises(InputError, match="users"):
        histories_from([[1]], users=[1, 2])


@given(st.lists(st.lists(st.floats(-1e3, 1e3), max_size=20), max_size=5))
def test_moments_are_those_of_all_numbers(parts: list[list[float]]) -> None:
    """Moments taken in parts are those of the whole, and a deviation is never 0."""
    moments = Moments()
    for part in parts:
        moments = moments.add(transform(np.array(part, np.float64), log=False))
    every = np.array([number for part in parts for number in part])
    scale = moments.scale(log=False)
    assert scale.std > 0
    if len(every):
        assert scale.mean == pytest.approx(every.mean(), abs=1e-6)
        assert scale.std == pytest.approx(every.std(), abs=1e-5) or (scale.std == 1.0 and every.std() < 1e-5)


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
