"""Which items stand behind which point, also after the catalogue has changed."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from engine_runtime.errors import ArtefactError
from engine_runtime.search import points as module
from engine_runtime.search.points import Points, distinct_points, renewed_points, row_keys

RANKABLE = np.arange(40) % 3 > 0
VECTORS = np.random.default_rng(0).integers(0, 2, (40, 4)).astype(np.float32)


def test_distinct_points_cover_all_rankable_items(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each rankable item belongs to one point, which is its vector, and points come in order of their first items."""
    monkeypatch.setattr(module, "BLOCK_ROWS", 7)
    found = distinct_points(VECTORS, RANKABLE)
    assert sorted(found.members.tolist()) == np.flatnonzero(RANKABLE).tolist()
    first = found.first_items(np.arange(len(found)))
    assert np.array_equal(np.repeat(VECTORS[first], np.diff(found.offsets), axis=0), VECTORS[found.members])
    assert len(np.unique(VECTORS[first], axis=0)) == len(found) == found.n_living
    assert np.all(np.diff(first) > 0)
    assert np.allclose(found.centre, VECTORS[first].mean(axis=0))


def test_keys_are_equal_where_vectors_are() -> None:
    """Two rows have one key if and only if they have the same bytes."""
    keys = row_keys(VECTORS, np.arange(40, dtype=np.int32))
    same = (VECTORS[:, None] == VECTORS).all(axis=2)
    assert np.array_equal(keys[:, None] == keys, same)


def test_points_keep_their_numbers() -> None:
    """Vectors that stay keep their point, those that are gone leave a dead one, new ones are numbered on."""
    old = np.array([[1], [2], [2], [3]], np.float32)
    before = distinct_points(old, np.ones(4, np.bool_))
    new = np.array([[9], [3], [1], [3], [8], [7]], np.float32)
    rankable = np.array([True, True, True, True, True, False])
    after, dying, joining = renewed_points(before, old, new, rankable)
    assert dying.tolist() == [1]
    assert joining.tolist() == [3, 4]
    members = [
        after.members[start:stop].tolist() for start, stop in zip(after.offsets, after.offsets[1:], strict=False)
    ]
    assert members == [[2], [], [1, 3], [0], [4]]
    assert (len(after), after.n_living, after.living.tolist()) == (5, 4, [0, 2, 3, 4])
    assert np.array_equal(after.centre, before.centre)
    again, dying, joining = renewed_points(after, new, old, np.ones(4, np.bool_))
    assert (dying.tolist(), joining.tolist()) == ([3, 4], [5])  # a dead point stays so: its vector joins anew
    assert again.first_items(np.array([5])).tolist() == [1]


def test_points_survive_their_file(tmp_path: Path) -> None:
    """What is read is what was written, for the items and the width that it was written for."""
    made = distinct_points(VECTORS, RANKABLE)
    made.save(tmp_path / "points")
    found = Points.load(tmp_path / "points", RANKABLE, 4)
    for field in dataclasses.fields(Points):
        assert np.array_equal(getattr(found, field.name), getattr(made, field.name))
    for rankable, dim in ((RANKABLE, 5), (~RANKABLE, 4), (RANKABLE[:-2], 4)):
        with pytest.raises(ArtefactError, match="does not fit"):
            Points.load(tmp_path / "points", rankable, dim)


@pytest.mark.parametrize(
    "wrong",
    [
        {"offsets": np.zeros(0, np.int64)},
        {"offsets": np.array([0, 5, 2, 26])},
        {"offsets": np.array([0, 9])},
        {"members": np.zeros((2, 2), np.int32)},
        {"centre": np.full(4, np.nan, np.float32)},
    ],
)
def test_arrays_that_do_not_fit_are_refused(tmp_path: Path, wrong: dict[str, np.ndarray]) -> None:
    """Offsets that do not rise to the number of members, other shapes and NaN are an artefact's fault."""
    dataclasses.replace(distinct_points(VECTORS, RANKABLE), **wrong).save(tmp_path / "points")
    with pytest.raises(ArtefactError, match="does not fit"):
        Points.load(tmp_path / "points", RANKABLE, 4)
