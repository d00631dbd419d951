"""Steps in series of runs."""

from __future__ import annotations

import math

import numpy as np
import pytest

from engine_bench.suite.steps import LAGS, find_steps, levels
from noisy_series import rates

RATE = "users_per_second"
SEEDS, RUNS = 100, 30


def test_a_step_of_a_tenth_is_found_where_it_is() -> None:
    """In 95 of 100 histories of 30 runs with a machine's noise, within one run of its place."""
    found = 0
    for seed in range(SEEDS):
        place = 5 + seed % 21
        steps = find_steps(RATE, rates(seed, RUNS, (place, 0.1)).tolist())
        found += any(abs(step.place - place) <= 1 and step.change.ratio < 1 for step in steps)
    assert found >= 95


def test_noise_is_no_step() -> None:
    """None is told in 95 of 100 histories without one."""
    assert sum(not find_steps(RATE, rates(seed, RUNS).tolist()) for seed in range(SEEDS)) >= 95


def test_a_step_is_told_with_its_size_and_interval() -> None:
    """The new level to the old one, named by what the figure measures."""
    (step,) = find_steps("own_seconds", [1.0, 1.01, 0.99, 1.0, 1.0, 1.2, 1.21, 1.19, 1.2])
    assert step.place == 5
    assert step.change.ratio == pytest.approx(1.2)
    assert step.change.low <= 1.2 <= step.change.high
    assert step.change.verdict == "too few rounds"
    assert levels([1.0] * 5 + [2.0] * 4, [step]) == [1.0] * 5 + [2.0] * 4


def test_two_steps_are_found_in_order() -> None:
    """Down and up again."""
    values = [100.0] * 8 + [80.0] * 8 + [100.0] * 8
    assert [step.place for step in find_steps(RATE, values)] == [8, 16]


def test_a_single_bad_run_is_no_step() -> None:
    """However bad it is."""
    assert find_steps(RATE, [100.0, 101.0, 99.0, 100.0, 20.0, 100.0, 101.0, 99.0]) == ()


def test_small_steps_are_left_out() -> None:
    """They are found in a series without noise, and told only where they pass the least size."""
    values = [100.0] * 8 + [98.0] * 8
    assert find_steps(RATE, values) == ()
    assert [step.place for step in find_steps(RATE, values, 0.01)] == [8]


def test_a_short_series_has_none() -> None:
    """Two levels need three runs each."""
    assert find_steps(RATE, [1.0, 1.0, 1.0, 9.0, 9.0]) == ()


def test_drift_is_noise_at_longer_lags() -> None:
    """A random walk differs more from run to run the farther they are apart, and so is not cut to pieces."""
    walk = np.exp(np.cumsum(np.random.default_rng(0).normal(0, 0.002, 40)))
    assert LAGS > 1
    assert all(math.isclose(1, step.change.ratio, abs_tol=0.05) for step in find_steps(RATE, walk.tolist(), 0.02))
