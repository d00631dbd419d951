"""Building and opening the index artefact: from texts to vectors to a searchable graph with its recall measured.

Knows artefacts and search; knows nothing of users but the query vectors that it is given as probes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from engine_runtime.artefacts import index as layout
from engine_runtime.artefacts.index import IndexArtefact, IndexInfo
from engine_runtime.artefacts.writing import Draft
from engine_runtime.data.histories import read_catalogue
from engine_runtime.data.schema import RANKABLE
from engine_runtime.errors import ArtefactError
from engine_runtime.inference.session import available_cpus
from engine_runtime.search.hnsw import HnswIndex, distinct_points
from engine_runtime.search.index import ExactIndex, Floats, Index
from engine_runtime.search.newcomers import Newcomers

Method = Literal["auto", "exact", "hnsw"]

EXACT_ITEMS = 20_000
RECALL_AT = 10
MIN_RECALL = 0.98
MAX_EF = 4096
MOST_MAGNITUDE = 1e6
"""Of a number in an item vector: real ones are near 1, and products of two such sums stay finite."""


@dataclass(frozen=True)
class IndexSettings:
    """How an index is built.

    Attributes
    ----------
    method
        ``exact``, ``hnsw``, or ``auto``: exact up to 20,000 rankable items.
    m, ef_construction
        Of HNSW: links a point, breadth at build.
    ef
        Breadth of a search to begin with; doubled until the recall is `MIN_RECALL`.
    """

    method: Method = "auto"
    m: int = 24
    ef_construction: int = 200
    ef: int = 64


@dataclass(frozen=True)
class Measured:
    """A built index, and what was found out about it."""

    index: Index
    ef: int
    recall: float
    n_points: int


def measured_index(
    vectors: Floats, rankable: npt.NDArray[np.bool_], probes: Floats, settings: IndexSettings, threads: int
) -> Measured:
    """Build an index and measure its recall@10 against exact search.

    Parameters
    ----------
    vectors
        float32 [items, d].
    rankable
        bool [items].
    probes
        float32 [n, d]: queries like those to come.
    settings, threads
        How to build it.

    Raises
    ------
    ArtefactError
        A vector is not finite, or no breadth reaches the recall.
    """
    if not np.isfinite(vectors).all():
        raise ArtefactError("an item vector is not finite. Export the bundle again, or use fp32.")
    exact = ExactIndex(vectors, rankable)
    count = int(rankable.sum())
    if settings.method == "exact" or (settings.method == "auto" and count <= EXACT_ITEMS) or not count:
        return Measured(exact, 0, 1.0, len(distinct_points(vectors, rankable)[0]))
    built = HnswIndex.build(
        vectors,
        rankable,
        m=settings.m,
        ef_construction=settings.ef_construction,
        ef=settings.ef,
        threads=threads,
    )
    nearest = min(RECALL_AT, count)
    wanted, _ = exact.search(probes, nearest)
    while (recall := recall_at(wanted, built.search(probes, nearest)[0])) < MIN_RECALL and built.ef < MAX_EF:
        built.ef = min(2 * built.ef, MAX_EF)
    if recall >= MIN_RECALL:
        return Measured(built, built.ef, recall, built.n_points)
    raise ArtefactError(
        f"HNSW finds {recall:.3f} of the exact ten nearest with ef {built.ef}; {MIN_RECALL} is the least. "
        "Raise --m and --ef-construction, or use --method exact."
    )


def recall_at(wanted: Floats, found: Floats) -> float:
    """Share of the wanted scores that were reached: a found item as good as a wanted one counts, for ties are equal."""
    if not wanted.size:
        return 1.0
    worst = wanted[:, -1:] - 1e-5 * np.maximum(np.abs(wanted[:, -1:]), 1)
    return float((found >= worst).mean())


def write_index(draft: Draft, catalogue: pa.Table, measured: Measured, newcomers: Newcomers) -> None:
    """Put the index's files into `draft`."""
    newcomers.save(draft.path / layout.NEWCOMERS_FILE)
    pq.write_table(catalogue, draft.path / layout.ITEMS_FILE, compression="zstd")
    np.save(draft.path / layout.VECTORS_FILE, measured.index.vectors)
    if isinstance(measured.index, HnswIndex):
        measured.index.save(draft.path / layout.GRAPH_FILE)


def index_info(measured: Measured, precision: str, settings: IndexSettings, n_probes: int, n_new: int) -> IndexInfo:
    """Describe a built index."""
    n_items, dim = measured.index.vectors.shape
    return IndexInfo(
        precision=precision,
        dim=dim,
        n_items=n_items,
        n_rankable=int(measured.index.rankable.sum()),
        n_new=n_new,
        n_points=measured.n_points,
        method=measured.index.method,
        m=settings.m,
        ef_construction=settings.ef_construction,
        ef=measured.ef,
        recall=measured.recall,
        n_probes=n_probes,
    )


def open_index(artefact: IndexArtefact, threads: int | None = None) -> tuple[Index, pa.Table, Newcomers]:
    """The index of an artefact, ready to search, its catalogue and the new items in it; raises `ArtefactError`."""
    catalogue = read_catalogue(artefact.items)
    try:
        vectors = np.load(artefact.vectors, allow_pickle=False)
    except (OSError, ValueError, EOFError, MemoryError) as error:
        raise ArtefactError(f"{artefact.vectors} is no array: {error}. Run `engine index` again.") from error
    info = artefact.info
    if vectors.shape != (info.n_items, info.dim) or len(catalogue) != info.n_items:
        raise ArtefactError(f"{artefact.root} holds {vectors.shape} vectors for {len(catalogue)} items. Index again.")
    if vectors.dtype != np.float32 or not (np.abs(vectors) <= MOST_MAGNITUDE).all():
        raise ArtefactError(
            f"{artefact.vectors} holds {vectors.dtype}, not float32 up to {MOST_MAGNITUDE:g} alone. Index again."
        )
    newcomers = Newcomers.load(artefact.newcomers)
    if not newcomers.within(len(catalogue)) or len(newcomers.items) != info.n_new:
        raise ArtefactError(f"{artefact.newcomers} does not fit the {len(catalogue)} items beside it. Index again.")
    rankable = catalogue[RANKABLE].to_numpy()
    if info.method == "exact":
        return ExactIndex(vectors, rankable), catalogue, newcomers
    workers = threads or available_cpus()
    return HnswIndex.load(artefact.graph, vectors, rankable, ef=info.ef, threads=workers), catalogue, newcomers
