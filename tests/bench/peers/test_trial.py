"""Finding the best setting."""

from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np
import pytest

from engine_bench.peers.contract import Floats
from engine_bench.peers.trial import REPEATS, ROUNDS, fastest


class Clocked:
    """A peer that moves the clock by its setting, and by a lot in the first round."""

    now = 0.0
    asked: list[tuple[float, int]] = []  # noqa: RUF012, shared on purpose

    settings = ""

    def __init__(self, cost: float) -> None:
        self._cost = cost

    def encode(self, texts: Sequence[str]) -> Floats:
        """Take time."""
        first = self._cost not in [cost for cost, _ in Clocked.asked]
        Clocked.now += 100 / self._cost if first else self._cost
        Clocked.asked.append((self._cost, len(texts)))
        return np.zeros((len(texts), 1), np.float32)


def test_the_fastest_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first round warms up and does not count; all are run in turn."""
    monkeypatch.setattr(time, "perf_counter", lambda: Clocked.now)
    load = Clocked
    assert fastest([3.0, 1.0, 2.0], load, ["a", "b"]) == 1.0  # type: ignore[arg-type]  # prepares nothing
    assert Clocked.asked[:3] == [(3.0, 2 * REPEATS), (1.0, 2 * REPEATS), (2.0, 2 * REPEATS)]
    assert len(Clocked.asked) == 3 * (1 + ROUNDS)


def test_one_candidate_needs_no_trial() -> None:
    """Nothing is loaded where there is no choice."""
    assert fastest(["only"], lambda _: pytest.fail("loaded"), ["a"]) == "only"
