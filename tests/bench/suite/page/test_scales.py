"""Axes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine_bench.suite.page.scales import linear, logarithmic, nines

VALUES = st.lists(st.floats(1e-6, 1e9), min_size=1, max_size=20)


@given(VALUES)
def test_every_value_lies_on_its_axis(values: list[float]) -> None:
    """Whatever the values are, even and logarithmic axes hold all of them, and have ticks within their ends."""
    for scale in (linear(values), logarithmic(values)):
        assert all(-0.001 <= scale.place(value, 0, 100) <= 100.001 for value in values)
        assert all(scale.low <= at <= scale.high * (1 + 1e-9) for at, _ in scale.ticks)
        assert 2 <= len(scale.ticks) <= 20


def test_ticks_are_round() -> None:
    """Ticks stand at round numbers, written as short as they are."""
    assert [text for _, text in linear([0.0, 235.0], zero=True).ticks] == ["0", "50", "100", "150", "200"]
    assert [text for _, text in logarithmic([11.0, 90.0]).ticks] == ["10", "20", "50", "100"]
    assert [text for _, text in logarithmic([22.0, 40.0]).ticks] == ["25", "30", "35", "40"]
    assert [text for _, text in logarithmic([0.05, 2000.0]).ticks] == ["0.1", "1", "10", "100", "1,000"]


def test_nines_are_even() -> None:
    """From 90 to 99 % is as far as from 99 to 99.9 %."""
    scale = nines(0.9999)
    places = [scale.place(share, 0, 1) for share in (0.9, 0.99, 0.999)]
    assert places[1] - places[0] == pytest.approx(places[2] - places[1])
    assert [text for _, text in nines(0.995).ticks] == ["50 %", "90 %", "99 %"]
