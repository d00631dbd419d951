"""The contenders: this engine's index, hnswlib as a user would write it, faiss. Each is built, kept, loaded and asked.

Knows the libraries, each imported where it is used; knows nothing of processes, of times or of each other.
"""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from engine_runtime.errors import UsageError
from engine_runtime.search.hnsw import HnswIndex

Floats = npt.NDArray[np.float32]
Items = npt.NDArray[np.int32]

OURS = "ours"
INSTALL = "pip install 'profile-engine[bench]'"
GRAPH = "graph.bin"
VECTORS = "vectors.npy"


@dataclass(frozen=True)
class Recipe:
    """How every contender builds its graph.

    Attributes
    ----------
    m
        Links a point; twice as many on the lowest level, with all of them.
    ef_construction
        Breadth at build.
    threads
        Threads of the build, and of searches after it is loaded.
    """

    m: int
    ef_construction: int
    threads: int


class Contender(Protocol):
    """An index that is built or loaded."""

    settings: str

    @classmethod
    def build(cls, items: Floats, recipe: Recipe) -> Contender:
        """Build the graph over `items`, float32 [n, d]."""
        ...

    def save(self, folder: Path) -> None:
        """Leave in `folder` what serving takes."""
        ...

    @classmethod
    def load(cls, folder: Path, dim: int, threads: int) -> Contender:
        """Load what `save` left."""
        ...

    def search(self, queries: Floats, k: int, ef: int) -> npt.NDArray[np.integer[Any]]:
        """Numbers of the `k` items with the largest inner products, [queries, k]; -1 where fewer were found."""
        ...


class Ours:
    """The runtime's own index, with the vectors that it keeps beside the graph."""

    def __init__(self, index: HnswIndex) -> None:
        self._index = index
        self.settings = f"engine_runtime HnswIndex, {index.n_points:,} points less their mean"

    @classmethod
    def build(cls, items: Floats, recipe: Recipe) -> Ours:
        """See `Contender.build`."""
        everything, m, breadth = np.ones(len(items), np.bool_), recipe.m, recipe.ef_construction
        return cls(HnswIndex.build(items, everything, m=m, ef_construction=breadth, ef=64, threads=recipe.threads))

    def save(self, folder: Path) -> None:
        """See `Contender.save`."""
        np.save(folder / VECTORS, self._index.vectors)
        self._index.save(folder / GRAPH)

    @classmethod
    def load(cls, folder: Path, dim: int, threads: int) -> Ours:
        """See `Contender.load`."""
        vectors = np.load(folder / VECTORS, allow_pickle=False)
        everything = np.ones(len(vectors), np.bool_)
        return cls(HnswIndex.load(folder / GRAPH, vectors, everything, ef=64, threads=threads))

    def search(self, queries: Floats, k: int, ef: int) -> Items:
        """See `Contender.search`."""
        self._index.ef = ef
        return self._index.search(queries, k)[1]


class Hnswlib:
    """hnswlib's inner product space over the vectors as they are."""

    def __init__(self, graph: Any, threads: int) -> None:
        self._graph, self._threads = graph, threads
        self.settings = "hnswlib, space 'ip'"

    @classmethod
    def build(cls, items: Floats, recipe: Recipe) -> Hnswlib:
        """See `Contender.build`."""
        graph = importlib.import_module("hnswlib").Index(space="ip", dim=items.shape[1])
        graph.init_index(max_elements=len(items), M=recipe.m, ef_construction=recipe.ef_construction)
        graph.add_items(items, num_threads=recipe.threads)
        return cls(graph, recipe.threads)

    def save(self, folder: Path) -> None:
        """See `Contender.save`."""
        self._graph.save_index(str(folder / GRAPH))

    @classmethod
    def load(cls, folder: Path, dim: int, threads: int) -> Hnswlib:
        """See `Contender.load`."""
        graph = importlib.import_module("hnswlib").Index(space="ip", dim=dim)
        graph.load_index(str(folder / GRAPH))
        return cls(graph, threads)

    def search(self, queries: Floats, k: int, ef: int) -> npt.NDArray[np.integer[Any]]:
        """See `Contender.search`."""
        self._graph.set_ef(ef)
        found: npt.NDArray[np.integer[Any]] = self._graph.knn_query(queries, k=k, num_threads=self._threads)[0]
        return found


class Faiss:
    """faiss's ``IndexHNSWFlat`` by inner product."""

    def __init__(self, faiss: Any, index: Any) -> None:
        self._faiss, self._index = faiss, index
        self.settings = f"faiss IndexHNSWFlat, inner product, compiled for {faiss.get_compile_options().strip()}"

    @classmethod
    def build(cls, items: Floats, recipe: Recipe) -> Faiss:
        """See `Contender.build`."""
        faiss: Any = importlib.import_module("faiss")
        faiss.omp_set_num_threads(recipe.threads)
        index = faiss.IndexHNSWFlat(items.shape[1], recipe.m, faiss.METRIC_INNER_PRODUCT)
        index.hnsw.efConstruction = recipe.ef_construction
        index.add(items)
        return cls(faiss, index)

    def save(self, folder: Path) -> None:
        """See `Contender.save`."""
        self._faiss.write_index(self._index, str(folder / GRAPH))

    @classmethod
    def load(cls, folder: Path, dim: int, threads: int) -> Faiss:
        """See `Contender.load`."""
        faiss: Any = importlib.import_module("faiss")
        faiss.omp_set_num_threads(threads)
        return cls(faiss, faiss.read_index(str(folder / GRAPH)))

    def search(self, queries: Floats, k: int, ef: int) -> npt.NDArray[np.integer[Any]]:
        """See `Contender.search`."""
        self._index.hnsw.efSearch = ef
        found: npt.NDArray[np.integer[Any]] = self._index.search(queries, k)[1]
        return found


@dataclass(frozen=True)
class Known:
    """A contender that can be asked for: ``module:class``, and the package that has to be there, as it is imported."""

    target: str
    package: str

    @property
    def absent(self) -> str | None:
        """What is missing and which command brings it; None where it is there."""
        return None if find_spec(self.package) else f"not installed: {self.package}. Run: {INSTALL}"

    def kind(self) -> type[Contender]:
        """The class, with its library imported, so that its memory is not taken for that of vectors."""
        importlib.import_module(self.package)
        module, _, name = self.target.partition(":")
        found: type[Contender] = getattr(importlib.import_module(module), name)
        return found


CONTENDERS = {
    OURS: Known(f"{__name__}:Ours", "hnswlib"),
    "hnswlib": Known(f"{__name__}:Hnswlib", "hnswlib"),
    "faiss": Known(f"{__name__}:Faiss", "faiss"),
}
"""All of them, ours first."""


def chosen(names: Sequence[str]) -> dict[str, Known]:
    """The contenders `names`, with ours among them, to which the others are compared; all of them if none is named.

    Raises
    ------
    UsageError
        A name is not known.
    """
    unknown = [name for name in names if name not in CONTENDERS]
    if unknown:
        raise UsageError(f"unknown contender '{', '.join(unknown)}'. Choose from {', '.join(CONTENDERS)}.")
    return {name: known for name, known in CONTENDERS.items() if not names or name in names or name == OURS}
