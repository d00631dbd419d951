"""The parent's side of one peer: starts its process, asks, and remembers why it failed.

Knows processes and the messages of `contract`; knows nothing of vectors or of other peers. A peer that fails once is
out: its reason is kept and no more is asked of it.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from threading import Timer
from types import TracebackType

import msgspec

from engine_bench.peers.contract import Reply, Request, Task, line
from engine_runtime.errors import MachineError

MOST_SECONDS = 3600.0
GRACE_SECONDS = 10.0


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
        self._log = self.folder / "log.txt"
        self._child: subprocess.Popen[bytes] | None = None

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
        """End the process: by ending its requests first, by force if it does not listen."""
        child, self._child = self._child, None
        if child is None:
            return
        for pipe in (child.stdin, child.stdout):
            if pipe is not None:
                pipe.close()
        try:
            child.wait(GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()

    def _exchange(self, request: Request) -> Reply:
        child = self._child = self._child or self._start()
        if child.stdin is None or child.stdout is None:
            raise MachineError("the process has no pipes.")
        limit = Timer(self._most_seconds, child.kill)
        limit.start()
        try:
            child.stdin.write(line(request))
            child.stdin.flush()
            received = child.stdout.readline()
        except BrokenPipeError:
            received = b""
        finally:
            limit.cancel()
        if not received:
            raise MachineError(f"the process ended with code {child.wait()}{self._last_words()}")
        return msgspec.json.decode(received, type=Reply)

    def _start(self) -> subprocess.Popen[bytes]:
        with self._log.open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "engine_bench.peers.child", self._target],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                env=environment(os.environ, self._task.threads),
            )

    def _last_words(self) -> str:
        said = self._log.read_text(errors="replace").strip().splitlines()
        return f": {said[-1].strip()}" if said else ""


def environment(present: Mapping[str, str], threads: int) -> dict[str, str]:
    """A child's environment: its threads, no network, no usage data sent."""
    count = str(threads)
    return dict(present) | {
        "OMP_NUM_THREADS": count,
        "MKL_NUM_THREADS": count,
        "RAYON_NUM_THREADS": count,
        "TOKENIZERS_PARALLELISM": "true" if threads > 1 else "false",
        "HF_HUB_OFFLINE": "1",
        "TRANSFORMERS_OFFLINE": "1",
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "NNCF_CI": "1",  # its name for: send no usage data
    }
