"""Attributes as classes."""

from __future__ import annotations

import numpy as np
import pytest

from engine_models.classes import classes_of
from engine_runtime.errors import InputError


def test_values_are_classes() -> None:
    """Values are classes in order; what is missing or rare is none."""
    found = classes_of("sex", ["m", None, "f", "x"] * 20 + ["rare"])
    assert (found.names, found.edges) == (("f", "m", "x"), ())
    assert found.numbers.tolist() == [1, -1, 0, 2] * 20 + [-1]


def test_a_number_of_many_kinds_becomes_bands() -> None:
    """Ages in years are cut into five bands of about as many users, named by their bounds."""
    ages = [*map(str, range(10, 60)), None]
    found = classes_of("age", ages)
    assert found.edges == (20, 30, 40, 50)
    assert found.names == ("under 20", "20 up to 30", "30 up to 40", "40 up to 50", "50 and over")
    assert np.bincount(found.numbers[:-1]).tolist() == [10] * 5
    assert found.numbers[-1] == -1
    assert found.numbers[10] == 1


def test_codes_of_few_kinds_stay_values() -> None:
    """Numbers of few kinds are codes."""
    assert classes_of("age", ["1", "18", "25"] * 20).names == ("1", "18", "25")


def test_a_number_that_is_mostly_one_value() -> None:
    """Where no band can be cut off, values are classes, and here there is only one of them."""
    with pytest.raises(InputError, match="'children' has 1 values"):
        classes_of("children", ["0"] * 900 + [*map(str, range(1, 20))])


@pytest.mark.parametrize("values", [[], [None] * 50, ["a"] * 50, [f"name {n}" for n in range(60)] * 20])
def test_nothing_to_tell_apart_or_too_much(values: list[str | None]) -> None:
    """No class, one class and names of people are refused."""
    with pytest.raises(InputError, match="--labels"):
        classes_of("who", values)
