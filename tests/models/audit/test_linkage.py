"""Whose row is whose."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from engine_models.audit.linkage import Space, half_of, link
from engine_runtime.data.histories import histories_from

Floats = npt.NDArray[np.float32]


def drawn(seed: int, n: int = 400) -> Floats:
    """Unit vectors."""
    vectors = np.random.default_rng(seed).normal(size=(n, 8))
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), np.float32)


def test_equal_vectors_are_linked() -> None:
    """Who has the very vector finds the row, in whatever block it is."""
    rows = drawn(0)
    found = link(rows[::3], rows[::3], iter([rows[:150], rows[150:]]))
    assert found.hits.mean() == 1
    assert found.areas.mean() == 1
    assert found.n_rows == 400


def test_noise_is_linked_as_by_chance() -> None:
    """Vectors that have nothing to do with the rows find one in so many."""
    rows = drawn(0)
    found = link(drawn(1), rows, iter([rows]))
    assert found.hits.mean() < 0.01
    assert found.areas.mean() == pytest.approx(0.5, abs=0.04)


def test_a_row_that_all_have_hides_each() -> None:
    """Of rows that are equal one can only be guessed."""
    rows = np.repeat(drawn(0, 1), 4, axis=0)
    found = link(rows, rows, iter([rows]))
    assert found.hits.tolist() == [0.25] * 4
    assert found.areas.tolist() == [0.5] * 4


def test_rows_without_a_vector_are_no_crowd() -> None:
    """A null among the rows is nobody's."""
    rows = drawn(0, 10)
    rows[3] = np.nan
    assert link(rows[:2], rows[:2], iter([rows])).n_rows == 9


def test_columns_have_the_same_say() -> None:
    """Side by side, a column of large numbers does not drown the other."""
    one, other = drawn(0), drawn(1)
    columns = {"concepts": one, "query": 1000 * other}
    placed = Space.of(columns).place(columns)
    assert np.allclose(np.linalg.norm(placed, axis=1), 1, atol=1e-5)
    shares = (placed[:, :8] ** 2).sum(1).mean()
    assert shares == pytest.approx(0.5, abs=0.02)


def test_half_a_history_is_every_second_event() -> None:
    """The first event stays, the second goes; a user without events has none."""
    half = half_of(histories_from([[1, 2, 3], [], [4, 5]]))
    assert half.items.tolist() == [1, 3, 4]
    assert half.lengths.tolist() == [2, 0, 1]
