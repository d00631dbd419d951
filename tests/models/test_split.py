"""Leave-one-out against plain lists."""

from __future__ import annotations

from dataclasses import replace
from itertools import chain

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine_models.split import Split, drawn, leave_one_out, until
from engine_runtime.data.histories import Histories, histories_from

WEIGHTS = (1.0, 0.0, -1.0, 0.5)
UNRANKABLE = (2, 5)
EVENT = st.tuples(st.integers(0, 7), st.integers(0, 3))
USER = st.tuples(st.lists(EVENT, max_size=3), st.lists(EVENT, max_size=9))
User = tuple[list[tuple[int, int]], list[tuple[int, int]]]


def build(users: list[User]) -> Histories:
    """Histories whose unordered events come first."""
    joined = [unordered + ordered for unordered, ordered in users]
    histories = histories_from(
        [[item for item, _ in events] for events in joined], types=[[kind for _, kind in events] for events in joined]
    )
    known = [[False] * len(unordered) + [True] * len(ordered) for unordered, ordered in users]
    return replace(histories, ordered=np.array(list(chain.from_iterable(known)), np.bool_))


def split_of(users: list[User]) -> Split:
    """Split where items 2 and 5 may not be recommended, types 1 and 2 are not to learn."""
    rankable = np.ones(8, np.bool_)
    rankable[list(UNRANKABLE)] = False
    return leave_one_out(build(users), WEIGHTS, rankable)


@given(st.lists(USER, max_size=6))
def test_split_is_that_of_plain_lists(users: list[User]) -> None:
    """Where there are three events to learn, the last is the test, the one before the validation; no other is out."""
    split = split_of(users)
    held, valid, test, stops, first = [], [], [], [], 0
    for number, (_, ordered) in enumerate(users):
        learned = [
            first + place for place, (item, kind) in enumerate(ordered) if WEIGHTS[kind] > 0 and item not in UNRANKABLE
        ]
        stops.append(first + len(ordered))
        if len(learned) >= 3:
            held.append(number)
            valid.append(learned[-2])
            test.append(learned[-1])
            stops[-1] = learned[-2]
        first += len(ordered)
    assert split.users.tolist() == held
    assert split.valid.tolist() == valid
    assert split.test.tolist() == test
    assert split.train_stops.tolist() == stops
    assert split.histories.items.tolist() == [item for _, ordered in users for item, _ in ordered]
    assert split.histories.ordered.all()


@pytest.mark.parametrize(("events", "held"), [(0, 0), (1, 0), (2, 0), (3, 1), (4, 1)])
def test_short_histories_stay_in_training(events: int, held: int) -> None:
    """A user with one or two events is trained on whole; with three, two are held out."""
    split = split_of([([], [(0, 0)] * events)])
    assert len(split.users) == held
    assert split.train_stops.tolist() == [events - 2 * held]


def test_returns_are_not_asked_for() -> None:
    """A last event that is a return, or on an item that may not be recommended, is no test."""
    split = split_of([([(6, 0)], [(0, 0), (1, 0), (3, 0), (4, 3), (4, 2), (5, 0)])])
    assert split.test.tolist() == [3]
    assert split.valid.tolist() == [2]
    assert split.is_target.tolist() == [True, True, True, True, False, False]


@given(st.lists(USER, min_size=1, max_size=6), st.data())
def test_histories_are_cut_before_an_event(users: list[User], data: st.DataObject) -> None:
    """`until` gives the users asked for, each up to the event named and without it."""
    histories = build([([], ordered) for _, ordered in users])
    chosen = data.draw(st.lists(st.integers(0, len(users) - 1), unique=True))
    kept = [data.draw(st.integers(0, len(users[user][1]))) for user in chosen]
    stops = histories.offsets[np.array(chosen, np.int64)] + np.array(kept, np.int64)
    cut = until(histories, np.array(chosen, np.int64), stops)
    assert cut.users.tolist() == chosen
    assert cut.lengths.tolist() == kept
    expected = [item for user, count in zip(chosen, kept, strict=True) for item, _ in users[user][1][:count]]
    assert cut.items.tolist() == expected


def test_a_sample_is_drawn_once_and_in_order() -> None:
    """The same seed gives the same numbers, each once; of no more than are wanted, all."""
    some = drawn(1000, 50, 3)
    assert len(set(some.tolist())) == 50
    assert sorted(some.tolist()) == some.tolist() == drawn(1000, 50, 3).tolist()
    assert some.tolist() != drawn(1000, 50, 4).tolist()
    assert drawn(5, 50, 3).tolist() == [0, 1, 2, 3, 4]
