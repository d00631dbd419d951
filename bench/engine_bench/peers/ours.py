"""The engine's own encoder as a peer: the runtime's `TextEncoder` on one variant of the artefact.

Its batches are as `engine tune` has found them to suit this machine, where that was run, or else the runtime's default.
"""

from __future__ import annotations

from collections.abc import Sequence

from engine_bench.peers.contract import Floats, Task
from engine_runtime.inference.encoder import TextEncoder


class Ours:
    """The int8 variant, with a worker for each thread.

    Parameters
    ----------
    task
        What it works on.
    """

    precision = "int8"

    def __init__(self, task: Task) -> None:
        artefact, workers = task.artefact(), self.workers(task)
        self._encoder = TextEncoder.open(artefact, self.precision, threads=workers)
        self.settings = f"{workers} one-thread workers, sorted batches of at most {self._encoder.budget} positions"

    @classmethod
    def prepare(cls, task: Task) -> None:
        """The artefact is all that is needed."""

    @staticmethod
    def workers(task: Task) -> int:
        """Workers that take part."""
        return task.threads

    def encode(self, texts: Sequence[str]) -> Floats:
        """See `Peer.encode`."""
        return self._encoder.encode(texts)


class OursExact(Ours):
    """The float32 variant."""

    precision = "fp32"


class OursOneWorker(Ours):
    """The int8 variant with one worker."""

    @staticmethod
    def workers(task: Task) -> int:
        """One, whatever the threads."""
        return 1
