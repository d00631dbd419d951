"""The shelf: the items of an index, with all that an engine needs to know of them.

What the index brings (vectors, catalogue, new items) and what training has learned (successors, label heads) come
together here, in the numbers of the index's catalogue. Knows arrays; knows nothing of users, texts or graphs.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from engine_runtime.profile.labels import LabelReader
from engine_runtime.search.index import Index
from engine_runtime.search.newcomers import Newcomers, find_neighbours, lend_successors
from engine_runtime.search.successors import SuccessorTable
from engine_runtime.serve.learned import Learned

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Shelf:
    """Items to search, and what is known of them.

    Attributes
    ----------
    index
        Ready to search.
    catalogue
        Of schema `engine_runtime.data.schema.ITEMS`.
    successors
        In the numbers of the catalogue, new items beside their neighbours.
    new
        bool [items]: items that training has not seen.
    vectors, directions
        float32 [items and newcomers, d], [.., w]: of all that a history may refer to, what the refiner reads and the
        directions of texts. Side by side they are the index's vectors, of which they are views.
    labels
        The label heads for these items; None where the bundle has none.
    """

    index: Index
    catalogue: pa.Table
    successors: SuccessorTable
    new: npt.NDArray[np.bool_]
    vectors: Floats
    directions: Floats
    labels: LabelReader | None


def shelve(learned: Learned, index: Index, catalogue: pa.Table, newcomers: Newcomers) -> Shelf:
    """Put the items of an index on a shelf.

    Parameters
    ----------
    learned
        Of the bundle that the index was made with.
    index
        Over the items of `catalogue`.
    newcomers
        Those among them that training has not seen.

    Raises
    ------
    ArtefactError
        A file of the bundle is damaged or does not fit the others.
    """
    vectors, directions = split(index.vectors, learned.bundle.info.shape.dim)
    return Shelf(
        index=index,
        catalogue=catalogue,
        successors=lend_successors(learned.successors(catalogue), newcomers),
        new=newcomers.mask(len(catalogue)),
        vectors=vectors,
        directions=directions,
        labels=_label_reader(learned, catalogue, vectors),
    )


def lengthen(shelf: Shelf, learned: Learned, added: Floats) -> Shelf:
    """The same shelf with further items for histories, which are read as new items are and never recommended.

    Parameters
    ----------
    shelf
        As `shelve` has made it.
    learned
        Of the same bundle.
    added
        float32 [further items, d + w]: their vectors from their texts alone.
    """
    residuals, trained = learned.residuals(shelf.catalogue)
    own, directions = split(added, learned.bundle.info.shape.dim)
    known = np.flatnonzero(trained).astype(np.int32)
    further = np.arange(len(added), dtype=np.int32)
    lent = Newcomers(further, *find_neighbours(directions, shelf.directions, known)).borrowed(residuals)
    vectors = np.concatenate((shelf.vectors, own + lent))
    return replace(
        shelf,
        vectors=vectors,
        directions=np.concatenate((shelf.directions, directions)),
        labels=_label_reader(learned, shelf.catalogue, vectors),
    )


def split(vectors: Floats, dim: int) -> tuple[Floats, Floats]:
    """What the refiner reads, [n, d], and the directions of texts, [n, w], of items' vectors; both are views."""
    return vectors[:, :dim], vectors[:, dim:]


def _label_reader(learned: Learned, catalogue: pa.Table, vectors: Floats) -> LabelReader | None:
    """The label heads for the items of a catalogue and those numbered on from its end, which no fit has known."""
    if learned.heads is None:
        return None
    rows = np.full(len(vectors), -1, np.int32)
    rows[: len(catalogue)] = learned.rows(catalogue)
    return learned.heads.renumbered(rows, vectors)
