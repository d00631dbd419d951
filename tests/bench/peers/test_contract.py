"""What travels between the bench and a peer."""

from __future__ import annotations

from pathlib import Path

import msgspec

from engine_bench.peers.contract import Reply, Request, line, read_calls, write_calls
from fake_peers import MakeTask
from tiny_models import texts_of


def test_calls_come_back(tmp_path: Path) -> None:
    """Texts of each call are as they were; a lone surrogate is a question mark."""
    calls = [["a", "ü\n\0"], [], ["b\ud800"]]
    assert read_calls(Path(write_calls(tmp_path / "calls.json", calls))) == [["a", "ü\n\0"], [], ["b?"]]


def test_a_message_is_one_line(make_task: MakeTask) -> None:
    """Requests and replies come back from the line that they travel as."""
    request = Request("load", task=make_task("any"))
    reply = Reply(error="two\nlines", wall=(0.5, 1.0), cpu=2.0, peak=3)
    for message in (request, reply):
        sent = line(message)
        assert sent.count(b"\n") == 1
        assert msgspec.json.decode(sent, type=type(message)) == message


def test_a_task_knows_its_files(make_task: MakeTask) -> None:
    """The encoder and the calibration texts are read from it, and what is made lies in its folder."""
    task = make_task("one")
    assert task.artefact().info.source == "tiny-bert"
    assert task.calibration_texts() == texts_of(20)
    assert task.made("x") == Path(task.folder) / "x"
