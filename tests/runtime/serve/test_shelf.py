"""What an index and the learned files become together."""

from __future__ import annotations

import numpy as np
import pytest

import tiny
from engine_runtime.search.newcomers import Newcomers, lend_successors
from engine_runtime.serve.engine import Engine
from engine_runtime.serve.learned import Learned
from engine_runtime.serve.shelf import lengthen, shelve, split
from tiny import World


def test_a_shelf_of_an_index(world: World, engine: Engine) -> None:
    """Vectors are those of the index in two parts, successors those of training and what new items borrow."""
    shelf, learned = engine.shelf, Learned(world.bundle)
    newcomers = Newcomers.load(world.index.newcomers)
    found = shelve(learned, shelf.index, shelf.catalogue, newcomers)
    assert np.array_equal(np.concatenate((found.vectors, found.directions), 1), shelf.index.vectors)
    assert np.array_equal(found.new, np.isin(np.arange(len(shelf.catalogue)), newcomers.items))
    lent = lend_successors(learned.successors(shelf.catalogue), newcomers)
    assert np.array_equal(found.successors.items, lent.items)
    assert found.labels is None


def test_further_items_lie_behind_the_catalogue(world: World, engine: Engine) -> None:
    """What is added has its own direction, and a vector that leans to the trained items it is like; all else stays."""
    texts = ["red tea cup", "blue lamp"]
    added = engine.encode(texts, "item")
    found = lengthen(engine.shelf, Learned(world.bundle), added)
    first = len(engine.shelf.vectors)
    assert found.index is engine.shelf.index
    assert found.catalogue is engine.shelf.catalogue
    assert np.array_equal(found.vectors[:first], engine.shelf.vectors)
    assert np.array_equal(found.directions[first:], added[:, tiny.SHAPE.dim :])
    residuals, trained = Learned(world.bundle).residuals(engine.shelf.catalogue)
    lean = found.vectors[first:] - added[:, : tiny.SHAPE.dim]
    assert (np.abs(lean).max(axis=1) > 0).all()
    assert (np.abs(lean).max(axis=0) <= np.abs(residuals[trained]).max(axis=0) + 1e-6).all()


@pytest.mark.parametrize("dim", [0, 2, 5])
def test_parts_are_views(dim: int) -> None:
    """A vector's two parts are whole, and are not held a second time."""
    vectors = np.arange(15, dtype=np.float32).reshape(3, 5)
    left, right = split(vectors, dim)
    assert np.array_equal(np.concatenate((left, right), 1), vectors)
    left[:], right[:] = -1, -1
    assert vectors.max() == -1


def test_the_vectors_of_an_index_are_held_once(engine: Engine) -> None:
    """What the refiner and the queries read lies in the index's own array, mapped from the disk."""
    shelf = engine.shelf
    assert np.shares_memory(shelf.vectors, shelf.index.vectors)
    assert np.shares_memory(shelf.directions, shelf.index.vectors)
