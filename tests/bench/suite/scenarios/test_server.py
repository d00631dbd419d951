"""The scenario `server`, of servers whose time passes when it is told to, and of a small shop."""

from dataclasses import replace
from pathlib import Path

import pytest

from engine_bench.suite.answering import MOST_TOGETHER, Server
from engine_bench.suite.open_loop import Requests
from engine_bench.suite.record import Row
from engine_bench.suite.scenarios.server import SHARES, Setting, measure, row
from engine_runtime.data.stored import read_histories
from stalls import VirtualTime
from tiny import make_world
from tiny_records import QUALITY

SETTING = Setting(level=0.1, seconds=600.0, seed=1)


def measured(alone: float, each: float, setting: Setting = SETTING, oversleep: float = 0.0) -> Row:
    """The row of a server whose calls take `alone` seconds and `each` more for each request."""
    time = VirtualTime(oversleep)

    def serve(requests: Requests) -> None:
        time.spend(alone + each * len(requests))

    return row(measure(Server([serve], clock=time.clock), setting), setting, "a server", QUALITY)


def test_the_highest_rate_is_told_with_its_latencies() -> None:
    """Of a server that can do 94 requests a second where many wait: the rate, and what users meet at it."""
    found = measured(alone=0.02, each=0.01)
    rate, p99 = found.figures["requests_per_second"].value, found.figures["p99_seconds"]
    assert 20 < rate < 94
    assert p99.value <= SETTING.level
    assert p99.low is not None
    assert found.latency is not None
    assert found.service is not None
    assert found.service.mean < found.latency.mean
    assert 1 < found.figures["requests_per_call"].value < MOST_TOGETHER
    assert found.notes[0] == "a server"
    assert "were too many: p99" in found.notes[1]


def test_a_closed_loop_stands_beside_it() -> None:
    """It asks one at a time, and what it reports is the time of the work, at the rate that this gives."""
    figures = measured(alone=0.02, each=0.01).figures
    assert figures["closed_loop_p99_seconds"].value == pytest.approx(0.03, rel=0.01)
    assert figures["closed_loop_requests_per_second"].value == pytest.approx(1 / 0.03, rel=0.01)
    assert figures["p99_seconds"].value > 2 * figures["closed_loop_p99_seconds"].value


def test_the_curve_rises_with_the_rate() -> None:
    """It has the trials of the search and some at shares of the rate that is kept, in the order of their rates."""
    found = measured(alone=0.0, each=0.01)
    kept = found.figures["requests_per_second"].value
    rates = [point.figures["requests_per_second"] for point in found.curve]
    assert rates == sorted(rates)
    assert {kept, *(kept * share for share in SHARES)} <= set(rates)
    assert found.curve[0].figures["p99_seconds"] < found.curve[-1].figures["p99_seconds"]


def test_a_level_that_is_out_of_reach_is_said() -> None:
    """The rate is nought; the latencies are those of the lowest rate that was tried, and the note says why."""
    found = measured(alone=0.2, each=0.01)
    assert found.figures["requests_per_second"].value == 0.0
    assert any(note.startswith("no rate was kept") and "p99" in note for note in found.notes)


def test_a_machine_that_does_not_keep_the_schedule_is_said() -> None:
    """Requests came late at every rate that leaves the server idle at times: none is kept for that reason."""
    found = measured(alone=0.0, each=0.001, oversleep=0.0015)
    assert found.figures["late_share"].value > 0.01
    assert any("came late" in note for note in found.notes)


def test_trials_that_are_short_say_what_they_hide() -> None:
    """With less time than it takes to see an overload of 2 %, the note has what can be seen."""
    short = measured(alone=0.0, each=0.01, setting=replace(SETTING, seconds=10.0))
    assert "trials were too short to show an overload of less than 10%" in short.notes
    assert not any("too short" in note for note in measured(alone=0.0, each=0.01).notes)


def test_an_engine_is_served(tmp_path: Path) -> None:
    """Each request is a user of a data set; stages of the engine's work are told, whatever rate this machine keeps."""
    world = make_world(tmp_path)
    server = Server.start(world.engine(2), read_histories(world.dataset), 2)
    setting = replace(SETTING, seconds=0.1)
    found = row(measure(server, setting), setting, str(server), QUALITY)
    assert found.scenario == "server"
    assert list(found.stages) == ["profile", "recommend"]
    assert found.figures["cpu_seconds_per_request"].value > 0
    assert found.notes[0].startswith("2 workers")
