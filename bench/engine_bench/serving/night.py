"""What each contender is given, and its night in two halves, each timed.

The first half is items: their texts are encoded and an index is made. The second is users: from histories to profiles
and recommendations, written. Models are loaded before. Knows nothing of how a contender does its work.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import numpy as np
import numpy.typing as npt

from engine_bench.memory import peak_memory

Lists = npt.NDArray[np.int32]
"""Recommended items of each user, best first: int32 [users, TOP_K], -1 where there are no more."""

TOP_K = 10
GIVEN = "given.json"
Shelf = TypeVar("Shelf")
Served = TypeVar("Served")


@dataclass(frozen=True)
class Given:
    """What all contenders are given.

    Attributes
    ----------
    bundle, dataset
        Folders: ours, and the data set of the users asked for.
    weights
        Model folder of the encoder that sentence-transformers runs.
    large
        Model folder of an encoder of BERT's size; random weights if None.
    large_items, large_users
        So many are read by the large encoder, chosen evenly.
    threads
        That each may keep busy.
    """

    bundle: str
    dataset: str
    weights: str
    large: str | None
    large_items: int
    large_users: int
    threads: int

    def write(self, folder: Path) -> None:
        """Leave it where contenders look."""
        (folder / GIVEN).write_bytes(msgspec.json.encode(self))

    @classmethod
    def read(cls, folder: str) -> Given:
        """What was left in `folder`."""
        return msgspec.json.decode((Path(folder) / GIVEN).read_bytes(), type=cls)


def timed(
    items: Callable[[], Shelf], users: Callable[[Shelf], Served], lists: Callable[[Served], Lists]
) -> dict[str, Any]:
    """Both halves of a night, and its lists, which are read outside the time.

    Returns
    -------
    dict of arrays
        ``items`` and ``users``, float64 [2]: seconds of the clock and of CPU; ``peak``, bytes; ``lists``.
    """
    started = _now()
    shelf = items()
    between = _now()
    served = users(shelf)
    spent = {"items": between - started, "users": _now() - between, "peak": np.array(peak_memory())}
    return spent | {"lists": lists(served)}


def _now() -> npt.NDArray[np.float64]:
    return np.array([time.perf_counter(), time.process_time()])
