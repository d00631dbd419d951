"""Contenders without a graph, for tests of what runs them: each lives in child processes by its name here."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import numpy.typing as npt

from engine_bench.search.contenders import Floats, Recipe
from engine_runtime.search.index import ExactIndex

KEPT = "items.npy"


class Exact:
    """Finds everything from breadth 12 on, and nothing below."""

    def __init__(self, items: Floats) -> None:
        print("a library that prints")  # noqa: T201
        self._items = items
        self.settings = f"exact over {len(items)}"

    @classmethod
    def build(cls, items: Floats, recipe: Recipe) -> Exact:
        """Keep the vectors."""
        return cls(items)

    def save(self, folder: Path) -> None:
        """Write the vectors."""
        np.save(folder / KEPT, self._items)

    @classmethod
    def load(cls, folder: Path, dim: int, threads: int) -> Exact:
        """Read the vectors."""
        return cls(np.load(folder / KEPT))

    def search(self, queries: Floats, k: int, ef: int) -> npt.NDArray[np.int32]:
        """Exact search."""
        found = ExactIndex(self._items, np.ones(len(self._items), np.bool_)).search(queries, k)[1]
        return found if ef >= 12 else np.full_like(found, -1)


class Unbuildable(Exact):
    """Cannot be built."""

    @classmethod
    def build(cls, items: Floats, recipe: Recipe) -> Exact:
        """Fail."""
        raise ValueError("no graph")


class Unloadable(Exact):
    """Cannot be loaded."""

    @classmethod
    def load(cls, folder: Path, dim: int, threads: int) -> Exact:
        """Fail."""
        raise ValueError("no such format")


class Blind(Exact):
    """Finds one item only, again and again."""

    def search(self, queries: Floats, k: int, ef: int) -> npt.NDArray[np.int32]:
        """The best item, `k` times."""
        return np.repeat(super().search(queries, 1, 12), k, axis=1)


class Dying(Exact):
    """Ends its process at a search."""

    def search(self, queries: Floats, k: int, ef: int) -> npt.NDArray[np.int32]:
        """End."""
        os._exit(7)


class Tiring(Exact):
    """Finds everything, until it is asked for the second single query; then it ends its process."""

    asked = 0

    def search(self, queries: Floats, k: int, ef: int) -> npt.NDArray[np.int32]:
        """Exact search, or the end."""
        self.asked += len(queries) == 1
        return os._exit(7) if self.asked > 1 else super().search(queries, k, ef)
