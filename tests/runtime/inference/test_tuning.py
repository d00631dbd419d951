"""Budgets: the rule, what is timed, and that vectors do not change."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tiny
from engine_runtime.inference.encoder import BUDGETS, TextEncoder
from engine_runtime.inference.kept import KeptBudget, keep_budget
from engine_runtime.inference.machine import fingerprint
from engine_runtime.inference.tuning import choose_budget, measure_rates
from tiny import World

RATES = st.dictionaries(
    st.integers(1, 2048), st.lists(st.floats(1, 1e6), min_size=1, max_size=5), min_size=1, max_size=6
)


def test_the_least_budget_that_is_as_fast_as_any() -> None:
    """Within half a per cent the smaller batch wins; past that, the faster one."""
    assert choose_budget({128: [98, 98.5], 256: [99.9, 99.6], 512: [100, 100]}) == 256
    assert choose_budget({128: [90], 256: [97.9], 512: [100]}) == 512
    assert choose_budget({256: [1, 100, 101], 512: [100, 100, 1]}) == 256


@given(rates=RATES)
def test_a_budget_is_one_of_those_measured(rates: dict[int, list[float]]) -> None:
    """Whatever was measured, one of the candidates is chosen, and none is faster by more than half a per cent."""
    chosen = choose_budget(rates)
    assert np.median(rates[chosen]) >= 0.995 * max(float(np.median(found)) for found in rates.values())


def test_candidates_take_turns(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each candidate is timed once a round, in batches as great as it allows; the first round does not count."""
    encoder = TextEncoder.open(world.bundle, "fp32", threads=1)
    sizes: list[tuple[int, int]] = []
    run = encoder.run

    def seen(tokens: Any, batch: Any) -> Any:
        sizes.append((len(batch), int(tokens.lengths[0])))
        return run(tokens, batch)

    monkeypatch.setattr(encoder, "run", seen)
    ticks = itertools.count()
    rates = measure_rates(encoder, (8, 16), rounds=2, clock=lambda: float(next(ticks)))
    assert sizes == [(1, 8), (2, 8)] * 3
    assert rates == {8: [8, 8], 16: [16, 16]}


def test_what_is_kept_is_used_and_changes_no_vector(
    world: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """An encoder is opened with the budget measured for it, and its vectors are those of any other budget."""
    monkeypatch.setenv("PROFILE_ENGINE_HOME", str(tmp_path))
    texts = [f"{first} {second} {third}" for first in tiny.WORDS for second in tiny.WORDS for third in tiny.WORDS[:3]]
    plain = TextEncoder.open(world.bundle, "fp32", threads=2)
    assert plain.budget == BUDGETS["cpu"]
    expected = plain.encode(texts)
    for budget in (1, 24, 4096):
        keep_budget(KeptBudget(fingerprint(), world.bundle.manifest.digest, "fp32", budget, {}))
        tuned = TextEncoder.open(world.bundle, "fp32", threads=2)
        assert tuned.budget == budget
        assert np.allclose(tuned.encode(texts), expected, atol=1e-5)
