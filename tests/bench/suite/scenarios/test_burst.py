"""The scenario `burst`, of a server whose time passes when it is told to, and of a small shop."""

from pathlib import Path

import pytest

from engine_bench.suite.answering import MOST_TOGETHER, Server
from engine_bench.suite.open_loop import Requests
from engine_bench.suite.scenarios.burst import APART, LEAST_BURSTS, MOST_BURSTS, SIZE, measure, row
from engine_runtime.data.stored import read_histories
from stalls import VirtualTime
from tiny import make_world
from tiny_records import QUALITY

CALLS = SIZE // MOST_TOGETHER


def serving(time: VirtualTime, *slow: int) -> Server:
    """A server that takes a second for a call, and thirty for those with a request of `slow`."""

    def serve(requests: Requests) -> None:
        time.spend(30.0 if set(slow) & set(requests.tolist()) else 1.0)

    return Server([serve], clock=time.clock)


def test_a_burst_is_told_by_when_all_are_answered() -> None:
    """A burst takes several calls of a second; users wait for so many of them as it takes until their own is over."""
    found = row(measure(serving(VirtualTime()), 240.0), "a server", QUALITY)
    assert found.rounds["all_answered_seconds"] == pytest.approx([CALLS] * 10)
    assert found.figures["all_answered_seconds"].value == pytest.approx(CALLS)
    assert found.latency is not None
    assert found.latency.mean == pytest.approx((1 + CALLS) / 2)
    assert found.notes == ("a server",)


def test_bursts_are_apart() -> None:
    """By so much that the server is idle in between, and as many as the time allows, within bounds."""
    found = measure(serving(VirtualTime()), 240.0)
    assert found.served.answers.due[SIZE] == pytest.approx(APART * CALLS)
    assert len(measure(serving(VirtualTime()), 0.0).seconds) == LEAST_BURSTS
    assert len(measure(serving(VirtualTime()), 1e6).seconds) == MOST_BURSTS


def test_a_burst_that_met_a_busy_server_is_told() -> None:
    """One that takes far longer than the first did runs into the next; the figure is the median, so it stays."""
    slow = row(measure(serving(VirtualTime(), SIZE), 240.0), "a server", QUALITY)
    assert slow.notes == ("a server", "1 of 10 bursts met a server that was not idle")
    assert max(slow.rounds["all_answered_seconds"]) == pytest.approx(30 + CALLS - 1)
    assert slow.figures["all_answered_seconds"].value == pytest.approx(CALLS)


def test_an_engine_is_served(tmp_path: Path) -> None:
    """Each request is a user of a data set; stages of the engine's work are told."""
    world = make_world(tmp_path)
    server = Server.start(world.engine(2), read_histories(world.dataset), 2)
    found = row(measure(server, 0.0), str(server), QUALITY)
    assert found.scenario == "burst"
    assert len(found.rounds["all_answered_seconds"]) == LEAST_BURSTS
    assert list(found.stages) == ["profile", "recommend"]
    assert found.latency is not None
    assert found.latency.supports(0.99)
