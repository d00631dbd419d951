"""The vectors of a catalogue's items, with and without an earlier index to take them from."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

import tiny
from engine_runtime.artefacts.index import IndexArtefact
from engine_runtime.data.schema import TEXT
from engine_runtime.errors import ArtefactError
from engine_runtime.search.index import Floats
from engine_runtime.serve.engine import Engine
from engine_runtime.serve.learned import Learned
from engine_runtime.serve.stock import Stock, read_untrained, stock_items
from tiny import World


class Encoder:
    """The tiny encoder, which keeps the texts that it was given."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def __call__(self, texts: Sequence[str]) -> Floats:
        """Vectors of texts."""
        self.texts += texts
        return tiny.encoded(texts, "item")


def stocked(catalogue: pa.Table, world: World, known: Stock | None = None) -> tuple[Stock, list[str]]:
    """The stock of a catalogue, and the texts that were encoded for it."""
    encoder = Encoder()
    return stock_items(catalogue, encoder, Learned(world.bundle), known), encoder.texts


def test_vectors_are_text_and_residual(world: World, engine: Engine) -> None:
    """An item seen in training has its residual added, matched by id; a new one that of the items it is like."""
    catalogue = engine.shelf.catalogue
    found, _ = stocked(catalogue, world)
    wanted = tiny.encoded(catalogue[TEXT].to_pylist(), "item")
    residuals = np.zeros((len(wanted), tiny.SHAPE.dim), np.float32)
    for row, item in enumerate(catalogue["item_id"].to_pylist()):
        if item in tiny.TRAINED:
            residuals[row] = np.load(world.bundle.residuals)[tiny.TRAINED.index(item)]
    learned, newcomers = wanted[:, : tiny.SHAPE.dim], found.newcomers
    assert np.allclose(found.untrained, learned[newcomers.items], atol=1e-6)
    learned += residuals
    learned[newcomers.items] += newcomers.borrowed(residuals)
    assert not {catalogue["item_id"][row].as_py() for row in newcomers.items} & set(tiny.TRAINED)
    assert len(newcomers.items) == int(engine.shelf.new.sum()) > 3
    assert np.allclose(found.vectors, wanted, atol=1e-5)
    assert np.allclose(engine.shelf.index.vectors, wanted, atol=1e-5)
    assert {"i00", "i01", "i02", "i03"}.isdisjoint(tiny.TRAINED)


def test_what_is_known_is_not_encoded_again(world: World, engine: Engine) -> None:
    """From an earlier stock all vectors are those of a first one, bit for bit, and only new and changed texts are read.

    New items borrow anew: one of those they were like is gone, and one has another text.
    """
    catalogue = engine.shelf.catalogue
    rows = [row for row in range(len(catalogue)) if row not in (0, 7, 20)]
    earlier, _ = stocked(catalogue.take(rows), world)
    texts = catalogue[TEXT].to_pylist()
    texts[9] = "red blue lamp cup"
    later = catalogue.set_column(1, catalogue.schema.field(1), pa.array(texts)).take([*range(12), *range(13, 32)])
    first, every = stocked(later, world)
    found, some = stocked(later, world, earlier)
    assert len(every) == 31
    assert some == [texts[row] for row in (0, 7, 9, 20)]
    assert np.array_equal(found.vectors, first.vectors)
    assert np.array_equal(found.untrained, first.untrained)
    assert np.array_equal(found.newcomers.neighbours, first.newcomers.neighbours)


def test_nothing_new(world: World, engine: Engine) -> None:
    """The same catalogue again needs no text."""
    earlier, _ = stocked(engine.shelf.catalogue, world)
    found, texts = stocked(engine.shelf.catalogue, world, earlier)
    assert texts == []
    assert np.array_equal(found.vectors, earlier.vectors)


def test_what_an_index_keeps_of_new_items(world: World, tmp_path: Path) -> None:
    """It is read as it was; an index without it, or with another number, can not be gone on from."""
    found = read_untrained(world.index, tiny.SHAPE.dim)
    assert found.shape == (world.index.info.n_new, tiny.SHAPE.dim)
    other = dataclasses.replace(world.index.info, n_new=1)
    with pytest.raises(ArtefactError, match="does not fit"):
        read_untrained(dataclasses.replace(world.index, info=other), tiny.SHAPE.dim)
    lacking: IndexArtefact = dataclasses.replace(world.index, root=world.root)
    with pytest.raises(ArtefactError, match="earlier version"):
        read_untrained(lacking, tiny.SHAPE.dim)
    (tmp_path / "untrained.npy").write_bytes(b"no array")
    with pytest.raises(ArtefactError, match="no array"):
        read_untrained(dataclasses.replace(world.index, root=tmp_path), tiny.SHAPE.dim)
