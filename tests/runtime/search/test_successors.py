"""The successor table against plain dictionaries."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tiny
from engine_runtime.errors import ArtefactError
from engine_runtime.search.successors import SuccessorTable

N = 5
ROWS = st.lists(
    st.dictionaries(st.integers(0, N - 1), st.sampled_from([0.25, 0.5, 2.0]), max_size=4),
    min_size=N + 1,
    max_size=N + 1,
)


def plain(table: SuccessorTable) -> list[dict[int, float]]:
    """Rows as dictionaries."""
    rows: list[dict[int, float]] = [{} for _ in range(len(table.offsets) - 1)]
    which, items, weights = table.lookup(np.arange(len(rows)))
    for row, item, weight in zip(which.tolist(), items.tolist(), weights.tolist(), strict=True):
        rows[row][item] = weight
    return rows


@given(ROWS, st.lists(st.integers(0, N), max_size=7))
def test_lookup_reads_rows(rows: list[dict[int, float]], asked: list[int]) -> None:
    """Entries come row by row as asked, repeats and empty rows included."""
    which, items, weights = tiny.table_of(rows).lookup(np.array(asked, np.int64))
    wanted = [(place, item, weight) for place, row in enumerate(asked) for item, weight in rows[row].items()]
    assert list(zip(which.tolist(), items.tolist(), weights.tolist(), strict=True)) == wanted


@given(ROWS, st.permutations(range(N + 2)), st.sets(st.integers(0, N - 1)))
def test_another_catalogue_numbers_otherwise(rows: list[dict[int, float]], order: list[int], gone: set[int]) -> None:
    """Renumbered, a row is the same row under other numbers, less the items that are gone; new items have none."""
    new = {old: -1 if old in gone else order[old] for old in range(N)}
    table = tiny.table_of(rows).renumbered(np.array([new[old] for old in range(N)], np.int32), N + 2)
    wanted: list[dict[int, float]] = [{} for _ in range(N + 3)]
    for old, row in enumerate(rows):
        place = N + 2 if old == N else new[old]
        if place >= 0:
            wanted[place] = {new[item]: weight for item, weight in row.items() if new[item] >= 0}
    assert plain(table) == wanted
    assert table.start_row == N + 2


def test_a_table_survives_its_file(tmp_path: Path) -> None:
    """What is saved is what is loaded."""
    table = tiny.random_table(9)
    table.save(tmp_path / "table.npz")
    loaded = SuccessorTable.load(tmp_path / "table.npz")
    for name in ("offsets", "items", "weights"):
        assert np.array_equal(getattr(loaded, name), getattr(table, name))
        assert getattr(loaded, name).dtype == getattr(table, name).dtype


def test_a_file_that_is_no_table(tmp_path: Path) -> None:
    """A missing, damaged, foreign or pickled file is an artefact's fault."""
    path = tmp_path / "table.npz"
    with pytest.raises(ArtefactError, match=r"table\.npz"):
        SuccessorTable.load(path)
    for content in (b"", b"no table", b"PK\x03\x04 no zip"):
        path.write_bytes(content)
        with pytest.raises(ArtefactError, match="holds no successor table"):
            SuccessorTable.load(path)
    path.unlink()
    np.savez(path, other=np.arange(3))
    with pytest.raises(ArtefactError, match="holds no successor table"):
        SuccessorTable.load(path)
    with path.open("wb") as stream:
        np.save(stream, np.arange(3))
    with pytest.raises(ArtefactError, match="holds no successor table"):
        SuccessorTable.load(path)


@pytest.mark.parametrize(
    "changed",
    [
        {"offsets": np.array([0, 5, 2], np.int64)},
        {"offsets": np.array([[0, 1]], np.int64)},
        {"items": np.array([9] * 4, np.int32)},
        {"items": np.array([0.5] * 4)},
        {"weights": np.ones(3, np.float32)},
        {"weights": np.array([1, np.nan, 1, 1], np.float32)},
    ],
)
def test_arrays_that_do_not_fit(changed: dict[str, Any], tmp_path: Path) -> None:
    """Falling offsets, items without a row, another length and weights that are no numbers are refused at once."""
    sound: dict[str, Any] = {"offsets": np.array([0, 2, 3, 4], np.int64), "items": np.array([0, 1, 0, 1], np.int32)}
    arrays = sound | {"weights": np.ones(4, np.float32)}
    np.savez(tmp_path / "table.npz", **arrays)
    assert SuccessorTable.load(tmp_path / "table.npz").start_row == 2
    np.savez(tmp_path / "table.npz", **(arrays | changed))
    with pytest.raises(ArtefactError, match="do not fit"):
        SuccessorTable.load(tmp_path / "table.npz")
