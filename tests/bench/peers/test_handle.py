"""The parent's side of a peer."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from engine_bench.peers.contract import write_calls
from engine_bench.peers.handle import Handle
from fake_peers import MakeTask


@pytest.fixture
def calls(tmp_path: Path) -> str:
    return write_calls(tmp_path / "calls.json", [["a", "bb"]])


def test_a_peer_in_a_process_of_its_own(make_task: MakeTask, calls: str, tmp_path: Path) -> None:
    """It is prepared in one process and runs in another; what it prints goes to its log."""
    with Handle("one", "fake_peers:Counting", make_task("one")) as handle:
        handle.prepare()
        assert handle.peak == 0
        handle.load()
        assert handle.settings == "1 threads, prepared: True"
        reply = handle.encode(calls, tmp_path / "vectors.npy")
        assert reply is not None
        assert len(reply.wall) == 1
        assert handle.peak == reply.peak > 0
        child = handle._child
    assert child is not None
    assert child.code == 0
    assert handle.failed is None
    assert np.load(tmp_path / "vectors.npy").tolist() == [[1, 2], [2, 2]]
    assert (handle.folder / "log.txt").read_text().split() == ["loading", "encoding"]


def test_a_peer_that_fails_is_out(make_task: MakeTask, calls: str) -> None:
    """Its reason is kept, its process is ended, and it is asked no more."""
    with Handle("one", "fake_peers:Failing", make_task("one")) as handle:
        handle.load()
        assert handle.encode(calls) is None
        assert handle.failed == "encode failed: RuntimeError: no kernel"
        assert handle._child is None
        handle.load()
        assert handle._child is None


def test_a_process_that_dies_is_out(make_task: MakeTask, calls: str) -> None:
    """A crash is told with its code and the last thing that was said."""
    with Handle("one", "fake_peers:Dying", make_task("one")) as handle:
        handle.load()
        assert handle.encode(calls) is None
    assert handle.failed == "encode failed: the process ended with code 7: loading"


def test_a_peer_that_does_not_answer_is_ended(make_task: MakeTask, calls: str) -> None:
    """It has only so much time for a request."""
    with Handle("one", "fake_peers:Sleeping", make_task("one")) as handle:
        handle.load()
        handle._most_seconds = 0.2
        assert handle.encode(calls) is None
    assert str(handle.failed).startswith("encode failed: the process ended with code -9")
