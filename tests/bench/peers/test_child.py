"""The process that a peer lives in, as a function of its requests."""

from __future__ import annotations

import io
from pathlib import Path

import msgspec
import numpy as np

from engine_bench.peers.child import LONGEST, Served, explain, serve
from engine_bench.peers.contract import Reply, Request, line, write_calls
from fake_peers import MakeTask


def test_requests_are_answered_in_turn(make_task: MakeTask, tmp_path: Path) -> None:
    """A peer is prepared, loaded and asked; each call is timed, and the vectors are those of all calls."""
    task, vectors = make_task("one"), tmp_path / "vectors.npy"
    calls = write_calls(tmp_path / "calls.json", [["a", "bb"], ["ccc"]])
    requests = [
        Request("prepare", task=task),
        Request("load", task=task),
        Request("encode", calls=calls, vectors=str(vectors)),
        Request("encode", calls=calls),
    ]
    answers = io.BytesIO()
    serve("fake_peers:Counting", io.BytesIO(b"".join(map(line, requests))), answers)
    replies = [msgspec.json.decode(found, type=Reply) for found in answers.getvalue().splitlines()]
    assert [reply.error for reply in replies] == [None] * 4
    assert replies[1].settings == "1 threads, prepared: True"
    assert len(replies[2].wall) == 2
    assert all(reply.peak > 0 for reply in replies)
    found = np.load(vectors)
    assert found.dtype == np.float32
    assert found.tolist() == [[1, 2], [2, 2], [3, 1]]


def test_an_error_is_an_answer(make_task: MakeTask, tmp_path: Path) -> None:
    """What a peer raises is said in one line, and the next request is answered."""
    served = Served("fake_peers:Unloadable")
    assert served.answer(Request("load", task=make_task("one"))).error == "ValueError: two lines"
    calls = write_calls(tmp_path / "calls.json", [["a"]])
    assert "a peer that is not loaded" in str(served.answer(Request("encode", calls=calls)).error)
    absent = Served("no_such_module:Peer").answer(Request("load", task=make_task("two")))
    assert absent.error == "ModuleNotFoundError: No module named 'no_such_module'"


def test_an_explanation_is_short() -> None:
    """Long messages are cut, and none is empty."""
    assert explain(ValueError()) == "ValueError: no message"
    assert len(explain(ValueError("x" * 1000))) == LONGEST
