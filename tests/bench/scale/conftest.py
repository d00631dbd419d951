"""A journey that nobody made, for its tables and lines."""

from __future__ import annotations

import pytest

from engine_bench.fingerprint import Surroundings
from engine_bench.scale.held_back import Judgement
from engine_bench.scale.journey import Journey, Scale
from engine_bench.scale.steps import Step
from engine_bench.scale.watched import Watched
from engine_models.metrics import Estimate

NAMES = ("generate", "keep back", "ingest", "index", "serve-batch")


@pytest.fixture
def journey() -> Journey:
    """Two sizes; at the second each step but the index takes ten times as long, for ten times the users."""
    scales = []
    for users, factor in ((1000, 1), (10_000, 10)):
        steps = tuple(
            Step(name, "", Watched(2.0 * (1 if name == "index" else factor), 3.0 * factor, 500_000_000, 0.5), 1000, {})
            for name in NAMES
        )
        scales.append(Scale(users, 50, 20 * users, steps, 100_000_000, Judgement(9, Estimate(0.2, 0.1, 0.3), 0.05)))
    learning = (Step("train", "", Watched(60.0, 100.0, 1_000_000_000, None), 1000, {}),)
    return Journey(Surroundings("a processor", (), 2, {}), "2GB", 2, learning, tuple(scales))
