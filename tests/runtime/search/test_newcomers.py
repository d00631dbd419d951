"""What new items borrow from the items that they are like."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tiny
from engine_runtime.errors import ArtefactError
from engine_runtime.search import newcomers as borrowing
from engine_runtime.search.newcomers import Newcomers, find_neighbours, find_newcomers, lend_successors

CORNERS = np.array([[4, 0], [0, 4], [-4, 0], [0, -4]], np.float32)


def test_a_new_item_borrows_from_the_items_that_it_is_like() -> None:
    """Nearest first, with shares that sum to 1 and fall; the residual is nearly that of the nearest."""
    texts = np.concatenate((CORNERS, [[3, 0.1]])).astype(np.float32)
    found = find_newcomers(texts, np.arange(5) < 4)
    assert found.items.tolist() == [4]
    assert found.neighbours[0].tolist()[0] == 0
    assert found.shares[0].sum() == pytest.approx(1)
    assert (np.diff(found.shares[0]) <= 0).all()
    residuals = np.concatenate((np.eye(4, dtype=np.float32), np.zeros((1, 4), np.float32)))
    assert found.borrowed(residuals)[0] == pytest.approx([1, 0, 0, 0], abs=1e-4)


def test_what_a_new_item_borrows_does_not_depend_on_the_others() -> None:
    """An item among many new ones has the neighbours that it has alone, whatever the blocks."""
    texts = np.random.default_rng(0).standard_normal((60, 5)).astype(np.float32)
    trained = np.arange(60) < 40
    together = find_newcomers(texts, trained)
    for place in (0, 7, 19):
        alone = find_newcomers(texts[[*range(40), 40 + place]], np.arange(41) < 40)
        assert alone.neighbours[0].tolist() == together.neighbours[place].tolist()
        assert alone.shares[0] == pytest.approx(together.shares[place], abs=1e-5)


@pytest.mark.parametrize("trained", [np.zeros(4, np.bool_), np.ones(4, np.bool_)])
def test_nothing_to_borrow_or_nobody_to_lend_to(trained: np.ndarray) -> None:
    """Without trained items the loan is zero; without new ones there is none; the table stays as it is."""
    found = find_newcomers(CORNERS, trained)
    assert found.items.tolist() == np.flatnonzero(~trained).tolist()
    assert not found.borrowed(np.ones((4, 3), np.float32)).any()
    table = tiny.table_of([{1: 1.0}, {2: 2.0}, {}, {}, {0: 5.0}])
    lent = lend_successors(table, found)
    assert lent.offsets.tolist() == table.offsets.tolist()
    assert lent.items.tolist() == table.items.tolist()


@given(st.lists(st.dictionaries(st.integers(0, 3), st.sampled_from([0.5, 1.0, 4.0])), min_size=7, max_size=7))
@settings(max_examples=60)
def test_lent_successors_are_those_of_plain_loops(rows: list[dict[int, float]]) -> None:
    """A newcomer's weight in a row is the sum of its neighbours' weights there by their shares; the start row stays."""
    newcomers = Newcomers(
        np.array([4, 5], np.int32),
        np.array([[0, 1], [1, 2]], np.int32),
        np.array([[0.75, 0.25], [0.5, 0.5]], np.float32),
    )
    lent = lend_successors(tiny.table_of(rows), newcomers)
    for row in range(7):
        entries = slice(lent.offsets[row], lent.offsets[row + 1])
        found = dict(zip(lent.items[entries].tolist(), lent.weights[entries].tolist(), strict=True))
        wanted = dict(rows[row])
        for new, (first, second), (most, least) in ((4, (0, 1), (0.75, 0.25)), (5, (1, 2), (0.5, 0.5))):
            weight = most * rows[row].get(first, 0) + least * rows[row].get(second, 0)
            if weight and row < 6:
                wanted[new] = weight
        assert found == pytest.approx(wanted)


def test_a_row_lends_to_the_strongest_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many items are new, a row grows by no more than the most that may be lent."""
    monkeypatch.setattr(borrowing, "MOST_LENT", 2)
    count = 9
    newcomers = Newcomers(
        np.arange(1, 10, dtype=np.int32), np.zeros((count, 1), np.int32), np.ones((count, 1), np.float32)
    )
    lent = lend_successors(tiny.table_of([{0: 3.0}, *[{}] * 9, {}]), newcomers)
    assert lent.items.tolist() == [0, 1, 2]


def test_newcomers_survive_their_file(tmp_path: Path) -> None:
    """What is read is what was written; a damaged file is an artefact's fault."""
    found = find_newcomers(np.concatenate((CORNERS, CORNERS + 1)), np.arange(8) < 4)
    found.save(tmp_path / "newcomers.npz")
    again = Newcomers.load(tmp_path / "newcomers.npz")
    for name in ("items", "neighbours", "shares"):
        assert np.array_equal(getattr(again, name), getattr(found, name))
    (tmp_path / "newcomers.npz").write_bytes(b"nothing")
    with pytest.raises(ArtefactError, match="no newcomers"):
        Newcomers.load(tmp_path / "newcomers.npz")
    np.savez(tmp_path / "newcomers.npz", items=found.items, neighbours=found.neighbours[1:], shares=found.shares)
    with pytest.raises(ArtefactError, match="shapes"):
        Newcomers.load(tmp_path / "newcomers.npz")
    assert found.within(8)
    assert not found.within(7)


def test_borrowing_in_blocks_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """What newcomers borrow does not depend on how many are looked at together."""
    found = find_newcomers(np.concatenate((CORNERS, CORNERS + 1)), np.arange(8) < 4)
    whole = found.borrowed(np.eye(8, dtype=np.float32))
    monkeypatch.setattr(borrowing, "BLOCK_BORROWERS", 3)
    assert np.array_equal(found.borrowed(np.eye(8, dtype=np.float32)), whole)


def test_neighbours_in_blocks_are_those_of_one_product(monkeypatch: pytest.MonkeyPatch) -> None:
    """However few cosines are held at a time, the nearest known items come nearest first, equal ones by number."""
    texts = np.random.default_rng(0).integers(-2, 3, (90, 3)).astype(np.float32)
    known = np.flatnonzero(np.arange(90) % 4).astype(np.int32)
    asking = texts[:7] + np.float32(0.25)
    wanted = known[np.argsort(-(asking @ texts[known].T), axis=1, kind="stable")[:, :20]]
    for scores, borrowers in ((1 << 22, 4096), (1, 3), (300, 4)):
        monkeypatch.setattr(borrowing, "BLOCK_SCORES", scores)
        monkeypatch.setattr(borrowing, "BLOCK_BORROWERS", borrowers)
        neighbours, shares = find_neighbours(asking, texts, known)
        assert np.array_equal(neighbours, wanted)
        assert np.allclose(shares.sum(axis=1), 1)
