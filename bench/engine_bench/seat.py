"""One contender of a comparison, in a process of its own that is idle while it is not its turn.

Knows the messages of `turns`; knows nothing of what a contender does or of the others.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import msgspec

from engine_bench import turns
from engine_bench.process import Process
from engine_bench.rounds import Spent, Tell
from engine_runtime.errors import MachineError

MOST_SECONDS = 4 * 3600.0
"""Longest time that loading, or one turn, may take; then the process is ended."""


@dataclass(frozen=True)
class Contender:
    """Who takes part.

    Attributes
    ----------
    python
        The interpreter that runs it.
    file
        Its file, as `turns` loads it.
    variant
        Which of the file's variants.
    path
        PYTHONPATH that it runs with; that of this process if None.
    """

    python: str
    file: str
    variant: str
    path: str | None = None


class Seat:
    """One contender in a process of its own; one that fails once is out, and its reason is kept.

    Parameters
    ----------
    name, contender
        Who.
    folder
        What all contenders are given; logs and answers go there, too.
    threads
        Threads that it may keep busy.
    tell
        Told when it is ready, and when it is out.

    Attributes
    ----------
    kept
        File with the arrays of its last turn.
    settings
        How it runs, for people; known once it is ready.
    failed
        Why it is out; None while it is not.
    """

    def __init__(self, name: str, contender: Contender, folder: Path, threads: int, tell: Tell) -> None:
        self.name, self.kept = name, folder / f"{name}.npz"
        self.settings = ""
        self.failed: str | None = None
        self._contender, self._folder, self._threads, self._tell = contender, folder, threads, tell
        self._child: Process | None = None

    def __enter__(self) -> Seat:
        """Start the process and wait until it is ready."""
        file, variant = self._contender.file, self._contender.variant
        command = (self._contender.python, turns.__file__, file, str(self._folder), variant)
        try:
            log = self._folder / f"{self.name}.log"
            self._child = Process(command, self._threads, log, self._contender.path)
            self.settings = msgspec.json.decode(self._child.ask(b"", MOST_SECONDS), type=dict[str, str])["settings"]
            self._tell(f"{self.name} is ready")
        except MachineError as error:
            self._leave(error)
        return self

    def __exit__(self, *_: object) -> None:
        """End the process, where there is one."""
        if self._child is not None:
            self._child.close()

    def turn(self) -> Spent | None:
        """One turn; None where the contender is out, now or since before."""
        if self._child is None or self.failed is not None:
            return None
        try:
            answer = self._child.ask(f"{self.kept}\n".encode(), MOST_SECONDS)
        except MachineError as error:
            self._leave(error)
            return None
        spent = msgspec.json.decode(answer, type=dict[str, float])
        return (spent["wall"],), spent["cpu"]

    def _leave(self, error: MachineError) -> None:
        self.failed = str(error)
        self._tell(f"{self.name} is left out: {error}")
