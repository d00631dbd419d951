"""Building one contender's graph in a fresh process: seconds, memory, bytes on disk.

The vectors are read before the clock starts, the files are written after it stops.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from engine_bench.fresh import answer
from engine_bench.memory import peak_memory, resident_memory
from engine_bench.search.contenders import Known, Recipe


@dataclass(frozen=True)
class Order:
    """What is built: a contender, over the vectors in a file, into a folder."""

    contender: Known
    items: str
    folder: str
    recipe: Recipe


@dataclass(frozen=True)
class Built:
    """What a build took.

    Attributes
    ----------
    wall, cpu
        Seconds of the clock, and of all CPUs together.
    peak
        Most memory in bytes beyond that of the process before it had the vectors; they are in it.
    disk
        Bytes of the files that serving takes.
    """

    wall: float
    cpu: float
    peak: int
    disk: int


def build(order: Order) -> Built:
    """Build, keep, and tell."""
    kind, folder = order.contender.kind(), Path(order.folder)
    before = resident_memory()
    items = np.load(order.items, allow_pickle=False)
    wall, cpu = time.perf_counter(), time.process_time()
    index = kind.build(items, order.recipe)
    wall, cpu, peak = time.perf_counter() - wall, time.process_time() - cpu, peak_memory()
    folder.mkdir(parents=True, exist_ok=True)
    index.save(folder)
    return Built(wall, cpu, peak - before, sum(path.stat().st_size for path in folder.iterdir()))


if __name__ == "__main__":
    answer(Order, build)
