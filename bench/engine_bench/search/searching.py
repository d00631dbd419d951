"""The process in which one contender is loaded and asked: ``python -m engine_bench.search.searching``.

Takes a `Load` or a `Search` a line on stdin and answers with a line on stdout; what a library prints goes to stderr.
Times the searches and nothing around them: queries are read before, what was found is written after.
"""

from __future__ import annotations

import os
import sys
import time
from functools import lru_cache
from pathlib import Path
from typing import IO

import msgspec
import numpy as np

from engine_bench.memory import peak_memory, resident_memory
from engine_bench.peers.child import explain
from engine_bench.search.contenders import Contender, Floats, Known


class Load(msgspec.Struct, frozen=True, tag=True):
    """Load a contender from the folder that its build left."""

    contender: Known
    folder: str
    dim: int
    threads: int


class Search(msgspec.Struct, frozen=True, tag=True):
    """Search with the queries of a file, all in one call or each in its own; what is found goes to the file `found`."""

    queries: str
    k: int
    ef: int
    singly: bool
    found: str


class Loaded(msgspec.Struct, frozen=True, tag=True):
    """What loading took: seconds; memory in bytes that it holds and had at most, beyond that of the process before."""

    settings: str
    seconds: float
    held: int
    peak: int


class Searched(msgspec.Struct, frozen=True, tag=True):
    """Seconds of the clock that each call took, and seconds of all CPUs that they took together."""

    wall: tuple[float, ...]
    cpu: float


class Failed(msgspec.Struct, frozen=True, tag=True):
    """What went wrong, in one line."""

    error: str


Asked = Load | Search
Answered = Loaded | Searched | Failed


def serve(requests: IO[bytes], answers: IO[bytes]) -> None:
    """Answer every request until there are no more; an error is an answer too."""
    contender: Contender | None = None
    for received in requests:
        answered: Answered
        try:
            asked = msgspec.json.decode(received, type=Asked)
            if isinstance(asked, Load):
                contender, answered = load(asked)
            elif contender is not None:
                answered = search(contender, asked)
        except Exception as error:  # a library may raise anything, and the others go on
            answered = Failed(explain(error))
        answers.write(msgspec.json.encode(answered) + b"\n")


def load(asked: Load) -> tuple[Contender, Loaded]:
    """Load a contender and say what it took."""
    kind, before, started = asked.contender.kind(), resident_memory(), time.perf_counter()
    contender = kind.load(Path(asked.folder), asked.dim, asked.threads)
    seconds = time.perf_counter() - started
    return contender, Loaded(contender.settings, seconds, resident_memory() - before, peak_memory() - before)


def search(contender: Contender, asked: Search) -> Searched:
    """Search, keep what was found, and say what it took."""
    queries = _read(asked.queries)
    parts = [queries[row : row + 1] for row in range(len(queries))] if asked.singly else [queries]
    found, wall, cpu = [], [], time.process_time()
    for part in parts:
        started = time.perf_counter()
        found.append(contender.search(part, asked.k, asked.ef))
        wall.append(time.perf_counter() - started)
    spent = Searched(tuple(wall), time.process_time() - cpu)
    np.save(asked.found, np.concatenate(found).astype(np.int64), allow_pickle=False)
    return spent


@lru_cache(maxsize=4)
def _read(path: str) -> Floats:
    queries: Floats = np.load(path, allow_pickle=False)
    return queries


if __name__ == "__main__":
    with os.fdopen(os.dup(1), "wb", buffering=0) as out:
        os.dup2(2, 1)  # libraries print where they like
        serve(sys.stdin.buffer, out)
