"""The process that one peer lives in: ``python -m engine_bench.peers.child MODULE:CLASS``.

Takes a `Request` a line on stdin and answers with a `Reply` a line on stdout; whatever a library prints goes to stderr.
Knows nothing of other peers. Times what a peer does and nothing around it: texts are read before, vectors written
after. It ends when its requests do, and so does not outlive who started it.
"""

from __future__ import annotations

import importlib
import os
import sys
import time
from pathlib import Path
from typing import IO

import msgspec
import numpy as np

from engine_bench.memory import peak_memory
from engine_bench.peers.contract import Peer, Reply, Request, line, read_calls
from engine_runtime.errors import UsageError

LONGEST = 300


def main(target: str) -> None:
    """Serve requests for the peer `target`."""
    with os.fdopen(os.dup(1), "wb", buffering=0) as answers:
        os.dup2(2, 1)  # libraries print where they like
        serve(target, sys.stdin.buffer, answers)


def serve(target: str, requests: IO[bytes], answers: IO[bytes]) -> None:
    """Answer every request until there are no more; an error is an answer too."""
    served = Served(target)
    for received in requests:
        answers.write(line(served.answer(msgspec.json.decode(received, type=Request))))


class Served:
    """A peer and what it is asked.

    Parameters
    ----------
    target
        ``module:class`` of the peer.
    """

    def __init__(self, target: str) -> None:
        self._target = target
        self._peer: Peer | None = None

    def answer(self, request: Request) -> Reply:
        """Do what a request says."""
        try:
            if request.task is not None:
                return self._set_up(request.do, request.task)
            return self._encode(request)
        except Exception as error:  # a peer may raise anything, and the others go on
            return Reply(error=explain(error), peak=peak_memory())

    def _set_up(self, do: str, task: object) -> Reply:
        module, _, name = self._target.partition(":")
        kind = getattr(importlib.import_module(module), name)
        if do == "prepare":
            kind.prepare(task)
            return Reply(peak=peak_memory())
        self._peer = peer = kind(task)
        return Reply(settings=peer.settings, peak=peak_memory())

    def _encode(self, request: Request) -> Reply:
        if self._peer is None or request.calls is None:
            raise UsageError(f"'{request.do}' was asked of a peer that is not loaded, or without texts.")
        calls, found, wall = read_calls(Path(request.calls)), [], []
        cpu = time.process_time()
        for texts in calls:
            started = time.perf_counter()
            found.append(self._peer.encode(texts))
            wall.append(time.perf_counter() - started)
        reply = Reply(wall=tuple(wall), cpu=time.process_time() - cpu, peak=peak_memory())
        if request.vectors is not None:
            np.save(request.vectors, np.concatenate(found).astype(np.float32, copy=False), allow_pickle=False)
        return reply


def explain(error: Exception) -> str:
    """One line that says what went wrong."""
    said = " ".join(str(error).split()) or "no message"
    return f"{type(error).__name__}: {said}"[:LONGEST]


if __name__ == "__main__":
    main(sys.argv[1])
