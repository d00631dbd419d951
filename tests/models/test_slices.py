"""Slices of the users."""

from __future__ import annotations

from engine_models.slices import slices
from engine_runtime.data.histories import histories_from
from engine_runtime.data.schema import NO_TIME
from planted import corpus_of


def test_tie_free_goes_by_time_where_there_is_one() -> None:
    """Two last events at one moment are a tie, whatever their items."""
    histories = histories_from(
        [[3, 2, 1, 0], [3, 2, 1, 0], [0, 1, 2, 3]], times=[[1, 2, 3, 3], [1, 2, 3, 4], [1, 1, 1, 2]]
    )
    assert slices(corpus_of(histories, 4))["tie-free"].tolist() == [False, True, True]


def test_tie_free_goes_by_number_where_there_is_no_time() -> None:
    """Without both times, only a test item that a sorted log would have put first is free of ties."""
    histories = histories_from(
        [[3, 2, 1, 0], [0, 1, 2, 3], [3, 2, 1, 0]], times=[[NO_TIME] * 4, [NO_TIME] * 4, [1, 2, NO_TIME, 4]]
    )
    assert slices(corpus_of(histories, 4))["tie-free"].tolist() == [True, False, True]


def test_cold_items_have_no_training_event() -> None:
    """An item that stands only in held-out events is cold."""
    histories = histories_from([[0, 1, 2, 4], [0, 1, 2, 3], [3, 1, 0, 2], [0, 1]])
    assert slices(corpus_of(histories, 5))["cold items"].tolist() == [True, False, True]


def test_histories_fall_into_ranges() -> None:
    """Each held-out user is in one range by the events before the test."""
    lengths = (3, 6, 7, 21, 22)
    histories = histories_from([list(range(length)) for length in lengths])
    found = slices(corpus_of(histories, 22))
    assert found["history up to 5"].tolist() == [True, True, False, False, False]
    assert found["history 6 to 20"].tolist() == [False, False, True, True, False]
    assert found["history over 20"].tolist() == [False, False, False, False, True]
