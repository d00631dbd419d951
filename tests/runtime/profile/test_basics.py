"""Basics: attributes that are there."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from engine_runtime.profile.basics import TYPE, basics
from engine_runtime.profile.labels import Prediction

USERS = pa.table({"user_id": ["u", "v", "w"], "sex": ["f", None, None], "age": ["31", "40", None]})


def told(made: pa.ListArray) -> list[list[tuple[str, str, float | None]]]:
    """Name, value and probability of each user's attributes."""
    return [[tuple(basic.values()) for basic in user] for user in made.to_pylist()]


def test_given_attributes_are_passed_on() -> None:
    """Each user has the attributes that are known of them, in order, without a probability."""
    made = basics(USERS, ["sex", "age"])
    assert made.type == TYPE
    assert told(made) == [[("sex", "f", None), ("age", "31", None)], [("age", "40", None)], []]
    assert told(basics(USERS, ["age", "sex"]))[0][0] == ("age", "31", None)


def test_predictions_stand_where_nothing_is_given() -> None:
    """A given value hides the prediction; users who cannot be predicted and attributes nobody gives are no trouble."""
    nan = float("nan")
    sex = Prediction("sex", ("f", "m"), np.array([[0.25, 0.75], [0.25, 0.75], [nan, nan]], np.float32))
    town = Prediction("town", ("a", "b"), np.array([[0.5, 0.5], [0.125, 0.875], [nan, nan]], np.float32))
    made = basics(USERS, ["sex", "age"], [sex, town])
    assert made.type == TYPE
    assert told(made) == [
        [("sex", "f", None), ("age", "31", None), ("town", "a", 0.5)],
        [("sex", "m", 0.75), ("age", "40", None), ("town", "b", 0.875)],
        [],
    ]
    assert told(basics(USERS.select(["user_id"]), [], [town])) == [[("town", "a", 0.5)], [("town", "b", 0.875)], []]


def test_any_choice_and_chunking_of_users() -> None:
    """Users chosen from a table of several chunks keep their own attributes."""
    chunked = pa.concat_tables([USERS, USERS.slice(0, 2)])
    whole = basics(chunked, ["sex", "age"]).to_pylist()
    assert whole == [basics(USERS, ["sex", "age"]).to_pylist()[row] for row in (0, 1, 2, 0, 1)]
    assert basics(chunked.take(pa.array([4, 0])), ["sex", "age"]).to_pylist() == [whole[4], whole[0]]


@pytest.mark.parametrize("attributes", [[], ["sex"], ["sex", "age"]])
def test_nobody_and_nothing(attributes: list[str]) -> None:
    """No users, no attributes and no values give empty lists of the right type."""
    assert basics(USERS.slice(0, 0), attributes).to_pylist() == []
    assert basics(USERS.slice(2), attributes).to_pylist() == [[]]
    assert basics(USERS.slice(2), attributes).type == TYPE
