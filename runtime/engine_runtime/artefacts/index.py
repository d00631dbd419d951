"""The index artefact: item vectors, the graph over them, and what a reader needs to show an item."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from engine_runtime.artefacts.manifest import Manifest, open_artefact

KIND = "index"
ITEMS_FILE = "items.parquet"
VECTORS_FILE = "vectors.npy"
GRAPH_FILE = "hnsw.bin"
POINTS_FILE = "points.npz"
NEWCOMERS_FILE = "newcomers.npz"
UNTRAINED_FILE = "untrained.npy"


@dataclass(frozen=True)
class IndexInfo:
    """What is known of an index.

    Attributes
    ----------
    precision
        Encoder variant that made the vectors.
    dim
        Width of a vector.
    n_items
        Items in the catalogue, all with a vector.
    n_rankable
        Items that a search may return.
    n_new
        Items that training has not seen.
    n_points
        Distinct vectors among those: items with equal vectors share a point.
    method
        ``exact`` or ``hnsw``.
    m, ef_construction, ef
        Of HNSW: links a point, breadth at build, breadth at search.
    recall
        Share of the exact ten nearest that a search finds, measured at build on `n_probes` queries; 1 for exact.
    n_probes
        Queries that the recall was measured on.
    n_dead
        Points of the graph whose item has left the catalogue.
    """

    precision: str
    dim: int
    n_items: int
    n_rankable: int
    n_new: int
    n_points: int
    method: str
    m: int
    ef_construction: int
    ef: int
    recall: float
    n_probes: int
    n_dead: int = 0


@dataclass(frozen=True)
class IndexArtefact:
    """A search index on disk."""

    root: Path
    manifest: Manifest
    info: IndexInfo

    @classmethod
    def open(cls, root: Path, *, verify: bool = True) -> IndexArtefact:
        """Open and verify the index in `root`; raises `ArtefactError`."""
        manifest, info = open_artefact(root, KIND, IndexInfo, verify=verify)
        return cls(root, manifest, info)

    @property
    def items(self) -> Path:
        """The catalogue, of schema `engine_runtime.data.schema.ITEMS`."""
        return self.root / ITEMS_FILE

    @property
    def vectors(self) -> Path:
        """Item vectors: float32 [n_items, dim], residuals added, row by row as in the catalogue; read in place."""
        return self.root / VECTORS_FILE

    @property
    def graph(self) -> Path:
        """The HNSW graph, in hnswlib's format; present where the method is ``hnsw``."""
        return self.root / GRAPH_FILE

    @property
    def points(self) -> Path:
        """Which items stand behind which point of the graph, see `search.points`; present beside the graph."""
        return self.root / POINTS_FILE

    @property
    def newcomers(self) -> Path:
        """Items that training has not seen, with the neighbours that they borrow from; see `search.newcomers`."""
        return self.root / NEWCOMERS_FILE

    @property
    def untrained(self) -> Path:
        """What the text alone says of each new item, before it borrows: float32 [n_new, d]."""
        return self.root / UNTRAINED_FILE
