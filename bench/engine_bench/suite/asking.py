"""Histories to recommendations, each stage timed; knows the engine and a clock."""

from __future__ import annotations

from engine_bench.suite.record import StageTime
from engine_runtime.data.histories import Histories
from engine_runtime.serve.engine import Engine
from engine_runtime.serve.stages import Stages

TOP_K = 10


def answer(engine: Engine, histories: Histories, stages: Stages) -> None:
    """Profiles and the best `TOP_K` items of some users."""
    with stages.timed("profile"):
        profiles = engine.profile(histories)
    with stages.timed("recommend"):
        engine.recommend(profiles, TOP_K)


def told(stages: Stages) -> dict[str, StageTime]:
    """Stages as a row has them."""
    return {name: StageTime(wall, stages.cpu_seconds.get(name, 0.0)) for name, wall in stages.seconds.items()}
