"""What training has learned of items and concepts: a bundle's files, matched by id with the catalogue of an index.

Row i of the files is item i of the training's catalogue. Knows a bundle's files and the ids in a catalogue; knows
nothing of searches, histories or graphs.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import TypeVar

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from engine_runtime.artefacts.arrays import load_array
from engine_runtime.artefacts.bundle import Bundle
from engine_runtime.data.schema import ITEM_ID, TRAINED
from engine_runtime.errors import ArtefactError
from engine_runtime.profile.contributions import QueryHead
from engine_runtime.profile.labels import LabelHeads
from engine_runtime.search.successors import SuccessorTable

Floats = npt.NDArray[np.float32]
Rows = npt.NDArray[np.int32]
Bools = npt.NDArray[np.bool_]
T = TypeVar("T")

ITEMS = pa.schema([pa.field(ITEM_ID, pa.string()), pa.field(TRAINED, pa.bool_())])


class Concept(msgspec.Struct, frozen=True):
    """A dimension of a profile, as ``concepts.json`` has it; what else is there is for people."""

    name: str


class Learned:
    """The learned files of a bundle; each is read when it is first asked for."""

    def __init__(self, bundle: Bundle) -> None:
        self.bundle = bundle

    @cached_property
    def concept_names(self) -> list[str]:
        """Name of each dimension of a profile."""
        path, wanted = self.bundle.concepts, self.bundle.info.shape.n_concepts
        concepts = _read(path, lambda found: msgspec.json.decode(found.read_bytes(), type=list[Concept]))
        if len(concepts) != wanted:
            raise ArtefactError(f"{path} names {len(concepts)} concepts of {wanted}. Export the bundle again.")
        return [concept.name for concept in concepts]

    @cached_property
    def heads(self) -> LabelHeads | None:
        """The label heads; None where the bundle has none."""
        info = self.bundle.info
        if not info.labels:
            return None
        heads = LabelHeads.load(self.bundle.labels, info.labels)
        n_items = len(self._items)
        wanted = (n_items, n_items, n_items, info.shape.dim, info.shape.n_concepts)
        found = tuple(map(len, (heads.rarity, heads.own, heads.valued, heads.shared, heads.profile)))
        if found != wanted:
            raise ArtefactError(f"{self.bundle.labels} has arrays of {found} rows, not {wanted}. Export again.")
        return heads

    @cached_property
    def query_head(self) -> QueryHead:
        """How profile and newest state become a query; raises `ArtefactError` where the bundle does not say."""
        shape = self.bundle.info.shape
        return QueryHead.load(self.bundle.query, shape.n_concepts, shape.dim)

    @cached_property
    def centres(self) -> Floats:
        """Where concepts lie among the directions of texts: float32 [C, w], of unit length."""
        path, shape = self.bundle.centres, self.bundle.info.shape
        if not path.is_file():
            raise ArtefactError(
                f"{path} is missing: the bundle is of an earlier version and does not say which items belong to a "
                "masked concept. Export the bundle again, and make its index again."
            )
        centres = load_array(path, "Export the bundle again.")
        if centres.shape != (shape.n_concepts, shape.white_dim) or centres.dtype != np.float32:
            raise ArtefactError(f"{path} does not fit the refiner beside it. Export the bundle again.")
        lengths = np.linalg.norm(centres, axis=1, keepdims=True)
        if not (np.isfinite(lengths).all() and lengths.all()):
            raise ArtefactError(f"{path} has a concept that lies nowhere. Export the bundle again.")
        return np.asarray(centres / lengths, np.float32)

    def rows(self, catalogue: pa.Table) -> Rows:
        """Row in the files of each item of a catalogue: int32 [items], -1 where training's catalogue lacks it."""
        return align(catalogue[ITEM_ID], self._items[ITEM_ID])

    def residuals(self, catalogue: pa.Table) -> tuple[Floats, Bools]:
        """Residuals of a catalogue's items, float32 [items, d], 0 for new ones; which were trained, bool [items]."""
        path, dim = self.bundle.residuals, self.bundle.info.shape.dim
        learned = load_array(path, "Export the bundle again.")
        if learned.shape != (len(self._items), dim) or learned.dtype != np.float32:
            raise ArtefactError(f"{path} does not fit the items beside it. Export the bundle again.")
        rows = self.rows(catalogue)
        known = np.flatnonzero(rows >= 0)
        trained = np.zeros(len(rows), np.bool_)
        trained[known] = self._items[TRAINED].to_numpy()[rows[known]]
        residuals = np.zeros((len(rows), dim), np.float32)
        residuals[trained] = learned[rows[trained]]
        return residuals, trained

    def successors(self, catalogue: pa.Table) -> SuccessorTable:
        """The successor table in a catalogue's numbers."""
        table = SuccessorTable.load(self.bundle.successors)
        if table.start_row != len(self._items):
            raise ArtefactError(
                f"{self.bundle.successors} has successors of {table.start_row} items, {self.bundle.items} names "
                f"{len(self._items)}. Export the bundle again."
            )
        return table.renumbered(align(self._items[ITEM_ID], catalogue[ITEM_ID]), len(catalogue))

    @cached_property
    def _items(self) -> pa.Table:
        """The training's catalogue, of schema `ITEMS`."""
        return _read(self.bundle.items, lambda path: pq.read_table(path).select(ITEMS.names).cast(ITEMS))


def align(ids: pa.ChunkedArray, among: pa.ChunkedArray) -> Rows:
    """Row of each of `ids` in `among`: int32 [ids], -1 where it is not there."""
    found = pc.index_in(ids, value_set=pa.chunked_array(among).combine_chunks() if among.num_chunks > 1 else among)
    return np.array(pc.fill_null(found, -1).to_numpy(), np.int32)


def _read(path: Path, read: Callable[[Path], T]) -> T:
    """What `read` makes of a file of the bundle; raises `ArtefactError` where it is not what it should be."""
    try:
        return read(path)
    except (OSError, ValueError, LookupError, EOFError, MemoryError, pa.ArrowException, msgspec.MsgspecError) as error:
        raise ArtefactError(f"{path} cannot be read: {error}. Export the bundle again.") from error
