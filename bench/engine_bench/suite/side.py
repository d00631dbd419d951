"""One side of a paired comparison, as a contender of `turns`: histories to profiles to recommendations.

Runs in the environment and with the code of the build that is measured, and so uses nothing of the bench and of the
runtime only what its builds have in common. Reads ``VARIANT.json`` in the folder: ``bundle``, ``index``, ``dataset``,
``users``, ``threads``. Models and histories are loaded before the first turn.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

import engine_runtime
from engine_runtime.artefacts.dataset import Dataset
from engine_runtime.data.histories import Histories
from engine_runtime.data.stored import read_catalogue, read_histories
from engine_runtime.serve.engine import Engine

TOP_K = 10
QUEUE = Path("/proc/thread-self/schedstat")


def load(folder: str, variant: str) -> tuple[str, Callable[[], dict[str, Any]]]:
    """A turn gives the seconds of each stage, float64 [3] as `Clock.spent` tells them, and what they were spent on.

    ``lists`` is int32 [users, 10] and ``targets`` int32 [users]: the last event of each, which no history holds; items
    are numbered as the data set does.
    """
    given = json.loads((Path(folder) / f"{variant}.json").read_text())
    clock = Clock(given["threads"])
    engine = Engine.load(given["bundle"], given["index"], threads=given["threads"])
    dataset = Dataset.open(Path(given["dataset"]))
    numbers = engine.item_numbers(read_catalogue(dataset.items)["item_id"].to_pylist())
    whole = _evenly(read_histories(dataset), given["users"])
    histories = _renumbered(whole.without_last(1), numbers)
    names = _inverse(numbers, len(engine.shelf.vectors))

    def turn() -> dict[str, Any]:
        began = clock.read()
        profiles = engine.profile(histories)
        between = clock.read()
        lists = engine.recommend(profiles, TOP_K).items
        spent = {"profile": clock.spent(began, between), "recommend": clock.spent(between, clock.read())}
        return spent | {"lists": names[lists], "targets": whole.last_items()}

    code = Path(engine_runtime.__file__).parent
    count = f"{len(whole)} users, threads: {given['threads']}"
    return f"{engine_runtime.__version__} in {code}, {engine.precision}, {count}", turn


def _evenly(histories: Histories, most: int) -> Histories:
    """Of the users with a history that is known to its end, `most` at equal distances."""
    users = np.flatnonzero(histories.n_ordered > 1)
    return histories.take(users[:: max(1, len(users) // most)][:most])


def _renumbered(histories: Histories, numbers: npt.NDArray[np.int32]) -> Histories:
    found = replace(histories, items=numbers[histories.items])
    return found.where(found.items >= 0)


def _inverse(numbers: npt.NDArray[np.int32], count: int) -> npt.NDArray[np.int32]:
    """The data set's number of each item of the index, and -1 for -1, which is the last place."""
    names = np.full(count + 1, -1, np.int32)
    known = np.flatnonzero(numbers >= 0)
    names[numbers[known]] = known
    return names


class Clock:
    """The seconds that this process has spent.

    Parameters
    ----------
    workers
        Threads that work side by side.
    """

    def __init__(self, workers: int) -> None:
        self._workers = workers
        self._ended = 0.0
        run = threading.Thread.run

        def counted(thread: threading.Thread) -> None:
            try:
                run(thread)
            finally:
                self._ended += _queued()  # its count goes with it

        threading.Thread.run = counted  # type: ignore[method-assign, assignment]  # pools make threads of this class and no other

    def read(self) -> npt.NDArray[np.float64]:
        """Where it stands."""
        clock = time.perf_counter()
        return np.array([clock, clock - _queued() - self._ended / self._workers, time.process_time()])

    def spent(self, began: npt.NDArray[np.float64], ended: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """float64 [3] between two readings: the clock, own seconds, CPU time.

        Own seconds are those of the clock without those in which work was ready and had no CPU. Where two threads
        waited at once that takes too much away, but work takes no less than its CPU time on all workers.
        """
        clock, own, cpu = ended - began
        return np.array([clock, min(clock, max(own, cpu / self._workers)), cpu])


def _queued() -> float:
    """Seconds that this thread has waited for a CPU, as Linux counts them; 0 where that is not told."""
    try:
        return int(QUEUE.read_text().split()[1]) / 1e9
    except (OSError, IndexError):
        return 0.0
