"""Basics: attributes that are there."""

from __future__ import annotations

import pyarrow as pa
import pytest

from engine_runtime.profile.basics import TYPE, basics

USERS = pa.table({"user_id": ["u", "v", "w"], "sex": ["f", None, None], "age": ["31", "40", None]})


def test_given_attributes_are_passed_on() -> None:
    """Each user has the attributes that are known of them, in order."""
    made = basics(USERS, ["sex", "age"])
    assert made.type == TYPE
    assert made.to_pylist() == [
        [{"name": "sex", "value": "f"}, {"name": "age", "value": "31"}],
        [{"name": "age", "value": "40"}],
        [],
    ]
    assert basics(USERS, ["age", "sex"]).to_pylist()[0][0] == {"name": "age", "value": "31"}


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
