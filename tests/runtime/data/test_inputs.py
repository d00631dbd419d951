"""Histories cut into what a model reads."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine_runtime.artefacts.dataset import Scale
from engine_runtime.data.histories import Histories, histories_from
from engine_runtime.data.inputs import gap_seconds, model_inputs

if TYPE_CHECKING:
    pass

LISTS = st.lists(st.lists(st.integers(0, 9), max_size=6), max_size=6)
UNIT = Scale(0.0, 1.0, False)


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


def test_unordered_events_are_not_read() -> None:
    """An event without a place is never read by a model."""
    base = histories_from([[7, 8], [9]], times=[[50, 60], [70]])
    histories = Histories(**{**vars(base), "ordered": np.array([False, True, False])})
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


@given(LISTS, st.data())
def test_inputs_of_some_users_are_theirs(items: list[list[int]], data: st.DataObject) -> None:
    """Users taken out of a model's inputs have what their own histories give."""
    histories = histories_from(items)
    rows = data.draw(st.lists(st.integers(0, len(items) - 1), max_size=5)) if items else []
    inputs, chosen = model_inputs(histories, UNIT, UNIT, 3), model_inputs(histories.take(rows), UNIT, UNIT, 3)
    assert inputs.take(rows).offsets.tolist() == chosen.offsets.tolist()
    assert inputs.take(rows).items.tolist() == chosen.items.tolist()
