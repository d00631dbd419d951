"""Building and opening the index artefact: from vectors to a searchable graph with its recall measured.

Knows artefacts and search; knows nothing of users but the query vectors that it is given as probes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from engine_runtime.artefacts import index as layout
from engine_runtime.artefacts.arrays import load_array
from engine_runtime.artefacts.index import IndexArtefact, IndexInfo
from engine_runtime.artefacts.manifest import read_manifest
from engine_runtime.artefacts.writing import Draft
from engine_runtime.data.schema import RANKABLE
from engine_runtime.data.stored import read_catalogue
from engine_runtime.errors import ArtefactError
from engine_runtime.inference.session import available_cpus
from engine_runtime.search.hnsw import HnswIndex, unseen
from engine_runtime.search.index import ExactIndex, Floats, Index
from engine_runtime.search.newcomers import Newcomers
from engine_runtime.search.points import BLOCK_ROWS, Bools, Points, distinct_points
from engine_runtime.search.recall import exact_scores, recall_at

Method = Literal["auto", "exact", "hnsw"]

EXACT_ITEMS = 20_000
RECALL_AT = 10
MIN_RECALL = 0.98
MAX_EF = 4096
MOST_DEAD = 0.2
"""Share of a graph's points that may be dead before it is built anew: they cost memory and steps of every search."""

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
        Breadth of a search to begin with; raised until the recall is `MIN_RECALL`.
    """

    method: Method = "auto"
    m: int = 24
    ef_construction: int = 200
    ef: int = 64

    def is_exact(self, count: int) -> bool:
        """Whether an index of `count` rankable items is an exact one."""
        return self.method == "exact" or (self.method == "auto" and count <= EXACT_ITEMS) or not count


@dataclass(frozen=True)
class Measured:
    """A built index, and what was found out about it."""

    index: Index
    ef: int
    recall: float
    n_points: int
    n_dead: int = 0


def measured_index(
    vectors: Floats,
    rankable: Bools,
    probes: Floats,
    settings: IndexSettings,
    threads: int,
    advance: Callable[[int], object] = unseen,
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
    advance
        Told of every further so many points in the graph.

    Raises
    ------
    ArtefactError
        A vector is not finite, or no breadth reaches the recall.
    """
    check_finite(vectors)
    if settings.is_exact(int(rankable.sum())):
        return Measured(ExactIndex(vectors, rankable), 0, 1.0, len(distinct_points(vectors, rankable)))
    built = HnswIndex.build(
        vectors,
        rankable,
        m=settings.m,
        ef_construction=settings.ef_construction,
        ef=settings.ef,
        threads=threads,
        advance=advance,
    )
    measured = _measured(built, probes)
    if measured.recall >= MIN_RECALL:
        return measured
    raise ArtefactError(
        f"HNSW finds {measured.recall:.3f} of the exact ten nearest with ef {built.ef}; {MIN_RECALL} is the least. "
        "Raise --m and --ef-construction, or use --method exact."
    )


def renewed_index(
    base: HnswIndex,
    vectors: Floats,
    rankable: Bools,
    probes: Floats,
    settings: IndexSettings,
) -> Measured | None:
    """Carry the graph of `base`, which is used up by this, over to a changed catalogue, and measure its recall.

    None where the graph has to be built anew: more than `MOST_DEAD` of its points would be dead, or no breadth reaches
    the recall. For the other parameters see `measured_index`.
    """
    check_finite(vectors)
    renewed = base.renewed(vectors, rankable)
    renewed.ef = settings.ef
    if len(renewed.points) - renewed.n_points > MOST_DEAD * len(renewed.points):
        return None
    measured = _measured(renewed, probes)
    return measured if measured.recall >= MIN_RECALL else None


def check_finite(vectors: Floats) -> None:
    """Refuse vectors of which one is not finite; raises `ArtefactError`."""
    for start in range(0, len(vectors), BLOCK_ROWS):
        if not np.isfinite(vectors[start : start + BLOCK_ROWS]).all():
            raise ArtefactError("an item vector is not finite. Export the bundle again, or use fp32.")


def _measured(built: HnswIndex, probes: Floats) -> Measured:
    """Double the breadth of a search until the recall is reached; then narrow it down to an eighth of itself."""
    nearest = min(RECALL_AT, int(built.rankable.sum()))
    wanted = exact_scores(built.vectors, built.rankable, probes, nearest)

    def recall(ef: int) -> float:
        built.ef = ef
        return recall_at(wanted, built.search(probes, nearest)[0])

    short, ef = 0, built.ef
    reached = recall(ef)
    while reached < MIN_RECALL and ef < MAX_EF:
        short, ef = ef, min(2 * ef, MAX_EF)
        reached = recall(ef)
    while short and reached >= MIN_RECALL and 8 * (ef - short) > ef:
        middle = (short + ef) // 2
        found = recall(middle)
        if found < MIN_RECALL:
            short = middle
        else:
            ef, reached = middle, found
    built.ef = ef
    return Measured(built, ef, reached, built.n_points, len(built.points) - built.n_points)


def write_index(draft: Draft, catalogue: pa.Table, measured: Measured, newcomers: Newcomers) -> None:
    """Put the index's files into `draft`."""
    newcomers.save(draft.path / layout.NEWCOMERS_FILE)
    pq.write_table(catalogue, draft.path / layout.ITEMS_FILE, compression="zstd")
    np.save(draft.path / layout.VECTORS_FILE, measured.index.vectors)
    if isinstance(measured.index, HnswIndex):
        measured.index.points.save(draft.path / layout.POINTS_FILE)
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
        n_dead=measured.n_dead,
    )


def open_index(artefact: IndexArtefact, threads: int | None = None) -> tuple[Index, pa.Table, Newcomers]:
    """The index of an artefact, ready to search, its catalogue and the new items in it; raises `ArtefactError`.

    Its vectors stay on the disk, mapped: several processes share what they read of them.
    """
    catalogue, info = read_catalogue(artefact.items), artefact.info
    vectors = _mapped(artefact.vectors)
    if vectors.shape != (info.n_items, info.dim) or len(catalogue) != info.n_items:
        raise ArtefactError(f"{artefact.root} holds {vectors.shape} vectors for {len(catalogue)} items. Index again.")
    newcomers = Newcomers.load(artefact.newcomers)
    if not newcomers.within(len(catalogue)) or len(newcomers.items) != info.n_new:
        raise ArtefactError(f"{artefact.newcomers} does not fit the {len(catalogue)} items beside it. Index again.")
    rankable = catalogue[RANKABLE].to_numpy()
    if info.method == "exact":
        opened: Index = ExactIndex(vectors, rankable)
    else:
        # an index of an earlier version has no file of points: its graph is over the distinct vectors, in order
        points = Points.load(artefact.points, rankable, info.dim) if artefact.points.is_file() else None
        workers = threads or available_cpus()
        opened = HnswIndex.load(artefact.graph, vectors, rankable, ef=info.ef, threads=workers, points=points)
    if read_manifest(artefact.root, layout.KIND).digest != artefact.manifest.digest:
        raise ArtefactError(f"the index in {artefact.root} was replaced while it was opened. Start again.")
    return opened, catalogue, newcomers


def moderate(vectors: Floats) -> bool:
    """Whether no number is beyond `MOST_MAGNITUDE`."""
    starts = range(0, len(vectors) if vectors.ndim else 0, BLOCK_ROWS)
    return all(bool((np.abs(vectors[start : start + BLOCK_ROWS]) <= MOST_MAGNITUDE).all()) for start in starts)


def _mapped(path: Path) -> Floats:
    """An array of vectors that stays on the disk; raises `ArtefactError` where it is not what it should be."""
    vectors = load_array(path, "Run `engine index` again.", mapped=True)
    if vectors.dtype != np.float32 or not moderate(vectors):
        raise ArtefactError(f"{path} holds {vectors.dtype}, not float32 up to {MOST_MAGNITUDE:g} alone. Index again.")
    return vectors
