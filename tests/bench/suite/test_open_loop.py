"""Requests that come when they come, in time that passes when it is told to."""

import threading
from collections import Counter

import numpy as np
import pytest

from engine_bench.suite.open_loop import Requests, closed_loop, open_loop
from engine_bench.suite.schedule import bursts, poisson
from stalls import VirtualTime, stalling, waits

SERVICE = 0.004


def test_a_stall_is_met_by_all_who_came_meanwhile() -> None:
    """Of a server that stalls for a second in thirty, p99 is what the schedule says; a closed loop does not see it."""
    due = poisson(100.0, 3000, seed=1)
    time, other = VirtualTime(), VirtualTime()
    found = open_loop([stalling(lambda _: time.spend(SERVICE), 1000, 1.0, time.spend)], due, 1, time.clock)
    closed = closed_loop([stalling(lambda _: other.spend(SERVICE), 1000, 1.0, other.spend)], 3000, other.clock)
    expected = waits(due, SERVICE, 1000, 1.0)
    assert 25 < found.seconds < 35
    assert found.latency.quantile(0.99).value == pytest.approx(np.quantile(expected, 0.99), rel=0.05)
    np.testing.assert_allclose(found.done - found.due, expected, atol=1e-6)
    assert closed.latency.quantile(0.99).value == pytest.approx(SERVICE, rel=0.02)
    assert closed.latency.most == pytest.approx(1.0 + SERVICE)


def test_the_time_of_the_work_is_told_beside_the_time_since_the_schedule() -> None:
    """Four who come at once and are answered one by one: each waits for those before, none takes longer."""
    time = VirtualTime()
    found = open_loop([lambda _: time.spend(0.5)], bursts(1, 4, 1.0), 1, time.clock)
    np.testing.assert_allclose(found.done - found.due, [0.5, 1.0, 1.5, 2.0])
    assert found.service.quantile(0.5).value == pytest.approx(0.5, rel=0.01)


def test_those_who_wait_together_share_a_call() -> None:
    """A call takes what is due when it begins, never more than the limit and never what is still to come."""
    time, calls = VirtualTime(), []

    def serve(requests: Requests) -> None:
        calls.append(requests.tolist())
        time.spend(1.0)

    found = open_loop([serve], np.array([0.0, 0.5, 0.6, 0.7, 0.8, 9.0]), 3, time.clock)
    assert calls == [[0], [1, 2, 3], [4], [5]]
    assert found.calls == 4
    np.testing.assert_allclose(found.done, [1, 2, 2, 2, 3, 10])


def test_a_machine_that_wakes_a_worker_late_is_told() -> None:
    """Late is what a ready worker took late; who waits because the server is busy is not."""
    time = VirtualTime(oversleep=0.002)
    idle = open_loop([lambda _: time.spend(0.1)], np.arange(1.0, 11.0), 1, time.clock)
    assert idle.late_share == 1.0
    assert idle.latency.quantile(0.5).value == pytest.approx(0.102, rel=0.01)
    time = VirtualTime()
    busy = open_loop([lambda _: time.spend(0.1)], np.arange(1.0, 2.0, 0.05), 1, time.clock)
    assert busy.late_share == 0.0
    assert busy.latency.most > 0.5


def test_several_workers_answer_each_request_once() -> None:
    """By an open loop and by a closed one, and more than one of them takes part where each waits for another."""
    answered: Counter[int] = Counter()
    meeting = threading.Barrier(2, timeout=60)

    def serve(requests: Requests) -> None:
        if min(requests) < 2:
            meeting.wait()
        answered.update(requests.tolist())

    open_loop([serve, serve, serve], np.zeros(50), 1)
    assert answered == Counter(range(50))
    closed = closed_loop([serve, serve], 50)
    assert answered == Counter(range(50)) + Counter(range(50))
    assert (closed.done >= closed.begun).all()


def test_a_worker_that_fails_ends_the_run() -> None:
    """Its error is raised, and nobody goes on with a schedule that would last for hours."""

    def fail(requests: Requests) -> None:
        raise OSError(f"no answer to {requests.tolist()}")

    due = np.array([0.0, 0.01, 3600.0])
    with pytest.raises(OSError, match="no answer"):
        open_loop([fail], due, 1)
    with pytest.raises(OSError, match="no answer"):
        open_loop([fail, lambda _: None], np.zeros(100_000), 1)
    with pytest.raises(OSError, match="no answer"):
        closed_loop([fail], 100_000)


def test_a_schedule_without_requests_is_over_at_once() -> None:
    """Nothing is asked, nothing is late."""
    found = open_loop([lambda _: None], np.zeros(0), 8)
    assert (found.calls, found.seconds, found.late_share) == (0, 0.0, 0.0)
