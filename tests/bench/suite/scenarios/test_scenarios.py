"""Every scenario of the registry, on a small shop; no figure of time is looked at."""

from __future__ import annotations

import pytest

from engine_bench.suite.plan import Plan
from engine_bench.suite.registry import SCENARIOS
from engine_bench.suite.scenarios import cold, end_to_end, offline, search, single, soak
from engine_bench.suite.scenarios.soak import slope
from engine_bench.suite.subject import Subject

QUICK = Plan(seconds=0.01, rounds=2, requests=20)


@pytest.mark.parametrize("name", list(SCENARIOS))
def test_a_row_says_where_the_time_went_and_how_good_the_answers_are(subject: Subject, name: str) -> None:
    """Each has its name, the subject's quality, figures, and stages with both kinds of seconds."""
    row = SCENARIOS[name](subject, QUICK)
    assert row.scenario == name
    assert row.quality == subject.quality
    assert row.figures
    assert row.stages
    assert any("cpu_seconds" in figure for figure in row.figures)


def test_single_asks_as_often_as_planned(subject: Subject) -> None:
    """Percentiles that so few requests do not tell are left out."""
    row = single.run(subject, QUICK)
    assert row.latency is not None
    assert len(row.latency) >= QUICK.requests
    assert "p50_seconds" in row.figures
    assert ("p99_seconds" in row.figures) == row.latency.supports(0.99)
    assert row.tokens["real"] == row.tokens["padded"] > 0


def test_offline_keeps_its_rounds(subject: Subject) -> None:
    """Tokens and stages are those of all of them."""
    row = offline.run(subject, QUICK)
    rounds = len(row.rounds["users_per_second"])
    assert rounds >= QUICK.rounds
    assert row.tokens["real"] == rounds * subject.tokens(subject.histories)["real"]


def test_cold_has_four_stages(subject: Subject) -> None:
    """In the order in which they come, none of them before the one before it was over."""
    row = cold.run(subject, QUICK)
    assert tuple(row.stages) == cold.STAGES
    assert all(stage.wall > 0 for stage in row.stages.values())


def test_search_has_a_curve(subject: Subject) -> None:
    """Recall is that against exact search; the index's own is among the points."""
    row = search.run(subject, QUICK)
    assert all(0 < point.figures["recall"] <= 1 for point in row.curve)
    assert row.figures["recall"].value in [point.figures["recall"] for point in row.curve]


def test_end_to_end_serves_every_user(subject: Subject) -> None:
    """The stages are those that the command tells."""
    row = end_to_end.run(subject, QUICK)
    assert len(row.rounds["users_per_second"]) >= 1
    assert row.figures["peak_bytes"].value > 0


def test_soak_reads_memory_between_batches(subject: Subject) -> None:
    """Its curve is what its slope is made of."""
    row = soak.run(subject, QUICK)
    assert len(row.curve) >= soak.LEAST_READINGS


def test_one_outlier_does_not_move_the_slope() -> None:
    """A leak of 100 bytes a batch is found beside a reading that is far off."""
    readings = [(at, 100 * at) for at in range(0, 200, 20)]
    readings[3] = (60, 10**9)
    assert slope(readings) == pytest.approx(100_000, rel=0.05)
