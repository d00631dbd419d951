"""Threads that run one graph side by side, each on a session of its own.

A session has one arena of memory. Threads that share it hand each other buffers that another core has just written,
which costs a sixth of the throughput of two cores; so each thread has a session, opened when it is first needed.
Knows sessions and threads; knows nothing of what a graph computes.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import onnxruntime as ort

from engine_runtime.errors import ArtefactError
from engine_runtime.inference.session import Provider, available_cpus, open_session

# On CUDA one session does the work; a second thread gets the next batch ready meanwhile.
CUDA_THREADS = 2


class Workers:
    """One graph, ready to run in several threads.

    Parameters
    ----------
    graph
        Path of an ONNX file, or its bytes. A file that is replaced later is not read again.
    provider
        Where it runs.
    threads
        Worker threads on a CPU; all available if None.
    """

    def __init__(self, graph: Path | bytes, provider: Provider = "cpu", threads: int | None = None) -> None:
        self.threads = CUDA_THREADS if provider == "cuda" else threads or available_cpus()
        self._graph, self._provider = graph, provider
        self._sessions: dict[int, ort.InferenceSession] = {}
        self._most = 1 if provider == "cuda" else self.threads
        self._lock = threading.Lock()
        self._numbers = itertools.count()
        self._own = threading.local()
        self._stamp: tuple[int, ...] | None = None

    def session(self) -> ort.InferenceSession:
        """The session of the calling thread; raises what `open_session` does."""
        if not hasattr(self._own, "session"):
            self._own.session = self._numbered(next(self._numbers) % self._most)
        return self._own.session

    @contextmanager
    def pool(self) -> Iterator[ThreadPoolExecutor]:
        """Threads for as long as the context is open; on leaving it, what has not begun is dropped."""
        pool = ThreadPoolExecutor(self.threads, thread_name_prefix="encode")
        try:
            yield pool
        finally:
            pool.shutdown(cancel_futures=True)

    def _numbered(self, number: int) -> ort.InferenceSession:
        with self._lock:
            if number not in self._sessions:
                self._check_unchanged()
                self._sessions[number] = open_session(self._graph, self._provider)
            return self._sessions[number]

    def _check_unchanged(self) -> None:
        """Two sessions of one run have to be on the same graph."""
        if isinstance(self._graph, bytes) or not self._graph.exists():
            return
        found = self._graph.stat()
        stamp = (found.st_ino, found.st_size, found.st_mtime_ns)
        if self._stamp is not None and stamp != self._stamp:
            raise ArtefactError(f"{self._graph} was replaced while it was in use. Load it again.")
        self._stamp = stamp
