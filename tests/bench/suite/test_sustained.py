"""The highest rate that keeps a service level, of servers whose time passes when it is told to."""

import pytest

from engine_bench.suite.open_loop import open_loop
from engine_bench.suite.schedule import poisson
from engine_bench.suite.sustained import CLOSE, Trial, highest_rate, requests_at
from stalls import VirtualTime

LEVEL = 0.1


def serve(rate: float, service: float = 0.01, oversleep: float = 0.0) -> Trial:
    """A trial of a server that answers one request in `service` seconds."""
    time = VirtualTime(oversleep)
    due = poisson(rate, requests_at(rate, LEVEL, 60.0), seed=1)
    return Trial(rate, open_loop([lambda _: time.spend(service)], due, 1, time.clock))


def never() -> bool:
    return False


@pytest.mark.parametrize("guess", [20.0, 110.0, 400.0])
def test_the_search_ends_at_the_edge_of_the_service_level(guess: float) -> None:
    """From below, near and above what the server can do: the p99 at the rate is kept, and a little above it is not."""
    found = highest_rate(serve, guess, LEVEL, never)
    assert found.kept is not None
    assert found.refused is not None
    assert 70 < found.kept.rate < 100
    assert found.kept.rate < found.refused.rate <= found.kept.rate + CLOSE * guess
    assert found.kept.p99 <= LEVEL < found.refused.p99


def test_an_overload_that_a_short_run_would_not_show_is_refused() -> None:
    """A rate 3 % above what the server can do is tried for so long that its queue outgrows the service level."""
    assert requests_at(1000.0, LEVEL, 60.0) == 5000
    assert requests_at(1000.0, LEVEL, 2.0) == 2000
    assert requests_at(1.0, LEVEL, 60.0) == 1000
    assert serve(103.0).refusal(LEVEL).startswith("p99")


def test_a_rate_whose_requests_come_late_is_not_kept() -> None:
    """However short the latencies are: the rate was not what it is called, and the point says how many were late."""
    trial = serve(1.0, service=0.001, oversleep=0.002)
    assert trial.p99 < LEVEL
    assert "late" in trial.refusal(LEVEL)
    assert trial.point.figures["late_share"] > 0.99


def test_a_service_level_that_no_rate_keeps_is_said() -> None:
    """A server that takes longer for one request than the level allows: no rate is kept, and the search ends."""
    found = highest_rate(lambda rate: serve(rate, service=0.2), 10.0, LEVEL, never)
    assert found.kept is None
    assert found.refused is not None


def test_the_search_ends_with_its_time() -> None:
    """What was found by then is told, with all runs."""
    spare = iter([False, False, True])
    found = highest_rate(serve, 200.0, LEVEL, lambda: next(spare, True))
    assert [round(trial.rate) for trial in found.trials] == [200, 100, 50]
    assert found.kept is found.trials[2]
