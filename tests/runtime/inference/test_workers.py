"""Worker threads: a session for each, opened when it is needed, and an end that does not wait."""

from __future__ import annotations

import threading
from concurrent.futures import CancelledError, Future
from pathlib import Path

import pytest

import tiny
from engine_runtime.errors import ArtefactError
from engine_runtime.inference.session import available_cpus
from engine_runtime.inference.workers import Workers


def sessions(workers: Workers, threads: int) -> list[object]:
    """The session of each of several threads that are there at once."""
    meeting = threading.Barrier(threads)

    def own() -> object:
        meeting.wait()
        assert workers.session() is workers.session()
        return workers.session()

    with workers.pool() as pool:
        return [future.result() for future in [pool.submit(own) for _ in range(threads)]]


def test_each_thread_has_a_session_of_its_own() -> None:
    """Two threads at once have two sessions, and threads that come later take these over."""
    workers = Workers(tiny.encoder_graph(), threads=2)
    first = sessions(workers, 2)
    assert len({id(session) for session in first}) == 2
    assert {id(session) for session in sessions(workers, 2)} == {id(session) for session in first}


def test_one_thread_needs_one_session() -> None:
    """Sessions are opened by those who ask for them."""
    workers = Workers(tiny.encoder_graph(), threads=8)
    assert workers.session() is workers.session()
    assert len(workers._sessions) == 1
    assert Workers(tiny.encoder_graph()).threads == available_cpus()


def test_leaving_drops_what_has_not_begun() -> None:
    """An error or an interrupt does not wait for the queue, and comes out as it is."""
    workers, begun, go = Workers(tiny.encoder_graph(), threads=1), threading.Event(), threading.Event()
    futures: list[Future[None]] = []

    def wait() -> None:
        begun.set()
        go.wait()

    def interrupted() -> None:
        with workers.pool() as pool:
            futures.extend(pool.submit(wait) for _ in range(3))
            begun.wait()
            threading.Timer(0.01, go.set).start()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert futures[0].result() is None
    for future in futures[1:]:
        with pytest.raises(CancelledError):
            future.result()


def test_a_graph_replaced_in_use_is_refused(tmp_path: Path) -> None:
    """A later thread never runs another graph than the first one."""
    path = tmp_path / "graph.onnx"
    path.write_bytes(tiny.encoder_graph())
    workers = Workers(path, threads=2)
    workers.session()
    path.unlink()
    path.write_bytes(tiny.encoder_graph(item=False))
    with pytest.raises(ArtefactError, match=r"graph\.onnx was replaced while it was in use"):
        sessions(workers, 2)
