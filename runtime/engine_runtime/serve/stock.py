"""The vectors of a catalogue's items: from their texts, from what training learned of them, from an earlier index.

A trained item has the sum of both, a new one borrows (`engine_runtime.search.newcomers`). What an earlier index of the
same bundle holds is taken from there where id and text are the same, so that a text is encoded once and the vectors are
those of a first index, bit for bit. Knows catalogues and vectors; knows nothing of graphs or users.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from engine_runtime.artefacts.arrays import load_array
from engine_runtime.artefacts.index import UNTRAINED_FILE, IndexArtefact
from engine_runtime.data.schema import ITEM_ID, TEXT
from engine_runtime.errors import ArtefactError
from engine_runtime.search.building import moderate
from engine_runtime.search.newcomers import Newcomers, find_newcomers
from engine_runtime.search.points import BLOCK_ROWS
from engine_runtime.serve.learned import Learned, align

Floats = npt.NDArray[np.float32]
Bools = npt.NDArray[np.bool_]
Encode = Callable[[Sequence[str]], Floats]


@dataclass(frozen=True)
class Stock:
    """Items with their vectors.

    Attributes
    ----------
    catalogue
        Of schema `engine_runtime.data.schema.ITEMS`.
    vectors
        float32 [items, d + w]: what is learned, then the direction of the text.
    newcomers
        Those among the items that training has not seen.
    untrained
        float32 [newcomers, d]: what is learned of them from the text alone, before they borrowed.
    """

    catalogue: pa.Table
    vectors: Floats
    newcomers: Newcomers
    untrained: Floats


def stock_items(catalogue: pa.Table, encode: Encode, learned: Learned, known: Stock | None = None) -> Stock:
    """Give each item of a catalogue its vector.

    Parameters
    ----------
    catalogue
        Of schema `ITEMS`.
    encode
        Texts to vectors in the space of items; called once, with what `known` lacks.
    learned
        Of the bundle whose encoder that is.
    known
        Items with vectors of the same bundle and variant.
    """
    dim = learned.bundle.info.shape.dim
    rows = _rows_in(known, catalogue)
    unknown = np.flatnonzero(rows < 0)
    fresh = encode(catalogue[TEXT].take(unknown).to_pylist())
    residuals, trained = learned.residuals(catalogue)
    fresh[:, :dim] += residuals[unknown]
    vectors = fresh if known is None else _joined(known, rows, unknown, fresh)
    newcomers = find_newcomers(vectors[:, dim:], trained)
    untrained = vectors[newcomers.items, :dim]
    vectors[newcomers.items, :dim] += newcomers.borrowed(residuals)
    return Stock(catalogue, vectors, newcomers, untrained)


def read_untrained(artefact: IndexArtefact, dim: int) -> Floats:
    """What an index keeps of its new items' texts; raises `ArtefactError` where it does not."""
    if not artefact.untrained.is_file():
        raise ArtefactError(
            f"the index in {artefact.root} is of an earlier version and can not be gone on from: {UNTRAINED_FILE} is "
            "missing. Make an index without --from; from that one can go on."
        )
    untrained = load_array(artefact.untrained, "Make an index without --from.")
    if untrained.shape != (artefact.info.n_new, dim) or untrained.dtype != np.float32 or not moderate(untrained):
        raise ArtefactError(f"{artefact.untrained} does not fit the index. Make an index without --from.")
    return untrained


def _rows_in(known: Stock | None, catalogue: pa.Table) -> npt.NDArray[np.int32]:
    """Row of each item among those known, -1 where it is not there or was described otherwise: int32 [items]."""
    if known is None:
        return np.full(len(catalogue), -1, np.int32)
    rows = align(catalogue[ITEM_ID], known.catalogue[ITEM_ID])
    there = np.flatnonzero(rows >= 0)
    same = pc.equal(catalogue[TEXT].take(there), known.catalogue[TEXT].take(rows[there]))
    rows[there[~same.to_numpy()]] = -1
    return rows


def _joined(known: Stock, rows: npt.NDArray[np.int32], unknown: npt.NDArray[np.int64], fresh: Floats) -> Floats:
    """Vectors of a catalogue from those known and the fresh ones, before new items borrow."""
    kept = np.flatnonzero(rows >= 0)
    vectors = np.empty((len(rows), known.vectors.shape[1]), np.float32)
    vectors[unknown] = fresh
    for start in range(0, len(kept), BLOCK_ROWS):  # the earlier vectors lie on the disk: no copy of all of them
        block = kept[start : start + BLOCK_ROWS]
        vectors[block] = known.vectors[rows[block]]
    place = np.full(len(known.vectors), -1, np.int64)
    place[known.newcomers.items] = np.arange(len(known.newcomers.items))
    lent = kept[place[rows[kept]] >= 0]
    vectors[lent, : known.untrained.shape[1]] = known.untrained[place[rows[lent]]]
    return vectors
