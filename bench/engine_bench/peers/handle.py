"""The parent's side of one peer: starts its process, asks, and remembers why it failed.

Knows the messages of `contract`; knows nothing of vectors or of other peers. A peer that fails once is
out: its reason is kept and no more is asked of it.
"""

from __future__ import annotations

import sys
from pathlib import Path
from types import TracebackType

import msgspec

from engine_bench.peers.contract import Reply, Request, Task, line
from engine_bench.process import Process
from engine_runtime.errors import MachineError

MOST_SECONDS = 3600.0


class Handle:
    """A peer in a process of its own.

    Parameters
    ----------
    name
        Of the peer.
    target
        ``module:class``.
    task
        What it works on; the folder in it is made.
    most_seconds
        Longest time that one request may take; then the process is ended.
    """

    def __init__(self, name: str, target: str, task: Task, most_seconds: float = MOST_SECONDS) -> None:
        self.name = name
        self.failed: str | None = None
        self.settings = ""
        self.peak = 0
        self.folder = Path(task.folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self._target = target
        self._task = task
        self._most_seconds = most_seconds
        self._child: Process | None = None

    def __enter__(self) -> Handle:
        """Start nothing yet: `prepare` and `load` do."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the process, whatever happened."""
        self.close()

    def prepare(self) -> None:
        """Have the peer convert or quantize, in a process that then ends."""
        self.ask(Request("prepare", task=self._task))
        self.close()
        self.peak = 0

    def load(self) -> None:
        """Have the peer load what it has prepared."""
        if loaded := self.ask(Request("load", task=self._task)):
            self.settings = loaded.settings

    def encode(self, calls: str, vectors: Path | None = None) -> Reply | None:
        """Have it encode the texts in the file `calls`; None where the peer is out, now or since before."""
        return self.ask(Request("encode", calls=calls, vectors=None if vectors is None else str(vectors)))

    def ask(self, request: Request) -> Reply | None:
        """The answer to one request; None where the peer is out, now or since before."""
        if self.failed is not None:
            return None
        try:
            reply = self._exchange(request)
        except MachineError as error:
            reply = Reply(error=str(error))
        if reply.error is not None:
            self.failed = f"{request.do} failed: {reply.error}"
            self.close()
            return None
        self.peak = max(self.peak, reply.peak)
        return reply

    def close(self) -> None:
        """End the process, where there is one."""
        child, self._child = self._child, None
        if child is not None:
            child.close()

    def _exchange(self, request: Request) -> Reply:
        command = (sys.executable, "-m", "engine_bench.peers.child", self._target)
        self._child = self._child or Process(command, self._task.threads, self.folder / "log.txt")
        return msgspec.json.decode(self._child.ask(line(request), self._most_seconds), type=Reply)
