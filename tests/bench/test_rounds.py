"""Interleaved rounds."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from engine_bench.peers.contract import write_calls
from engine_bench.peers.handle import Handle
from engine_bench.rounds import Lap, encoding, rotated, run_rounds, vectors_of
from fake_peers import MakeTask


def test_everyone_comes_first_in_turn() -> None:
    """The order is turned by one place each round."""
    assert [rotated("abc", number) for number in range(4)] == [list("abc"), list("bca"), list("cab"), list("abc")]
    assert rotated([], 3) == []


def test_a_lap_sums_its_calls() -> None:
    """Seconds of a lap are those of all of its calls."""
    assert Lap((1.0, 2.0), 0.0, None).seconds == 3


def test_every_peer_once_a_round(make_task: MakeTask, tmp_path: Path) -> None:
    """All have their turn in each round, one that fails is out, and vectors of the last lap are kept."""
    calls = write_calls(tmp_path / "calls.json", [["a", "bb"], ["ccc"]])
    told: list[str] = []
    with (
        Handle("one", "fake_peers:Counting", make_task("one")) as one,
        Handle("two", "fake_peers:Failing", make_task("two")) as two,
    ):
        for handle in (one, two):
            handle.load()
        laps = run_rounds(encoding([one, two], calls), 3, told.append)
    assert {name: len(found) for name, found in laps.items()} == {"one": 3, "two": 0}
    assert [len(lap.wall) for lap in laps["one"]] == [2, 2, 2]
    assert np.load(vectors_of(one)).tolist() == [[1, 2], [2, 2], [3, 1]]
    assert [message.partition(",")[0] for message in told] == [f"round {number} of 3: one" for number in (1, 2, 3)]
    assert two.failed == "encode failed: RuntimeError: no kernel"
