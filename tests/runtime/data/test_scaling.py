"""Scales of raw numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine_runtime.artefacts.dataset import Scale
from engine_runtime.data.scaling import Moments, scaled, transform

if TYPE_CHECKING:
    pass


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


def test_logarithms_keep_the_sign() -> None:
    """A scale of logarithms takes numbers below 0 as it takes those above."""
    assert scaled(np.array([np.e - 1, 1 - np.e]), Scale(0.0, 1.0, True)).tolist() == [1.0, -1.0]
