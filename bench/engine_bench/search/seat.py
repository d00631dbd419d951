"""The parent's side of one loaded contender: a process, what is asked of it, and why it is out.

Knows the messages of `searching`; knows nothing of recall or of other contenders.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TypeVar

import msgspec
import numpy as np
import numpy.typing as npt

from engine_bench.process import Process
from engine_bench.rounds import Spent
from engine_bench.search.contenders import Known
from engine_bench.search.searching import Answered, Asked, Failed, Load, Loaded, Search, Searched
from engine_runtime.errors import MachineError

MOST_SECONDS = 3600.0

A = TypeVar("A", Loaded, Searched)


class Seat:
    """A contender in a process of its own.

    Parameters
    ----------
    name
        Of the contender.
    contender
        Which.
    folder
        What its build left.
    dim
        Width of a vector.
    threads
        That it may keep busy.

    Raises
    ------
    MachineError
        It cannot be loaded.
    """

    def __init__(self, name: str, contender: Known, folder: Path, dim: int, threads: int) -> None:
        self.name, self.threads = name, threads
        self.failed: str | None = None
        self._found = folder.with_name(f"{folder.name}-found-{threads}.npy")
        log = folder.with_name(f"{folder.name}.log")
        self._child = Process([sys.executable, "-m", "engine_bench.search.searching"], threads, log)
        try:
            self.loaded = self._ask(Load(contender, str(folder), dim, threads), Loaded)
        except MachineError:
            self._child.close()
            raise

    def __enter__(self) -> Seat:
        return self

    def __exit__(self, *_: object) -> None:
        """End the process, whatever happened."""
        self._child.close()

    @property
    def found(self) -> npt.NDArray[np.int64]:
        """What the last search found: int64 [queries, k]."""
        found: npt.NDArray[np.int64] = np.load(self._found, allow_pickle=False)
        return found

    def search(self, queries: Path, k: int, ef: int, *, singly: bool = False) -> Spent | None:
        """Search with the queries of a file; None where the contender is out, now or since before."""
        if self.failed is not None:
            return None
        try:
            spent = self._ask(Search(str(queries), k, ef, singly, str(self._found)), Searched)
        except MachineError as error:
            self.failed = f"the search failed: {error}"
            return None
        return spent.wall, spent.cpu

    def _ask(self, asked: Asked, kind: type[A]) -> A:
        received = self._child.ask(msgspec.json.encode(asked) + b"\n", MOST_SECONDS)
        answered = msgspec.json.decode(received, type=Answered)
        if isinstance(answered, kind):
            return answered
        raise MachineError(answered.error if isinstance(answered, Failed) else "it answered something else.")
