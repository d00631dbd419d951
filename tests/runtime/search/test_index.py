"""Exact search against sorting in plain Python."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from engine_runtime.search import index as searching
from engine_runtime.search.index import ExactIndex, Floats, Gathered

SMALL = st.integers(-2, 2).map(float)  # many ties, and no rounding


@given(
    arrays.arrays(np.float32, st.tuples(st.integers(0, 9), st.just(2)), elements=SMALL),
    arrays.arrays(np.float32, st.tuples(st.integers(0, 4), st.just(2)), elements=SMALL),
    st.integers(0, 12),
    st.data(),
)
def test_the_best_come_first_and_ties_by_number(vectors: Floats, queries: Floats, k: int, data: st.DataObject) -> None:
    """A search gives the first k of the rankable items, by score and then by number, and -1 where there are no more."""
    rankable = np.array(data.draw(st.lists(st.booleans(), min_size=len(vectors), max_size=len(vectors))), np.bool_)
    scores, items = ExactIndex(vectors, rankable).search(queries, k)
    assert scores.shape == items.shape == (len(queries), k)
    for row, query in enumerate(queries):
        products = {item: float(vectors[item] @ query) for item in np.flatnonzero(rankable).tolist()}
        wanted = sorted(products, key=lambda item: (-products[item], item))[:k]
        missing = k - len(wanted)
        assert items[row].tolist() == wanted + [-1] * missing
        assert scores[row].tolist() == [products[item] for item in wanted] + [-np.inf] * missing


def test_blocks_leave_no_seam(monkeypatch: pytest.MonkeyPatch) -> None:
    """Many queries go through in blocks, with the result of one."""
    generator = np.random.default_rng(0)
    vectors, queries = generator.normal(size=(50, 4)).astype("f4"), generator.normal(size=(30, 4)).astype("f4")
    index = ExactIndex(vectors, np.ones(50, np.bool_))
    whole = index.search(queries, 7)
    monkeypatch.setattr(searching, "BLOCK_SCORES", 120)
    parts = index.search(queries, 7)
    assert np.array_equal(whole[1], parts[1])
    assert np.allclose(whole[0], parts[0], atol=1e-6)


def test_a_question_is_a_search_and_the_products_of_pairs() -> None:
    """However an index answers, the best are those of its search, and a pair's product is that of its vectors."""
    generator = np.random.default_rng(0)
    vectors, queries = generator.normal(size=(50, 4)).astype("f4"), generator.normal(size=(6, 4)).astype("f4")
    index = ExactIndex(vectors, np.arange(50) % 3 > 0)
    owners, items = np.array([0, 0, 2, 5, 5]), np.array([1, 49, 2, 2, 1])
    for asked in (index.ask(queries), Gathered(index, queries)):
        scores, found = asked.best(7)
        assert np.array_equal(found, index.search(queries, 7)[1])
        assert np.allclose(scores, index.search(queries, 7)[0], atol=1e-6)
        assert np.allclose(asked.products(owners, items), (queries[owners] * vectors[items]).sum(axis=1), atol=1e-6)
        assert asked.products(owners[:0], items[:0]).shape == (0,)


def test_what_is_kept_back_is_not_found() -> None:
    """An index without some items finds what one of the others alone would find, and the whole one is as it was."""
    generator = np.random.default_rng(0)
    vectors, queries = generator.normal(size=(20, 4)).astype("f4"), generator.normal(size=(6, 4)).astype("f4")
    rankable, hidden = np.arange(20) % 3 > 0, np.arange(20) % 4 == 0
    whole = ExactIndex(vectors, rankable)
    rest = whole.without(hidden)
    for k in (3, 20):
        found, expected = rest.search(queries, k), ExactIndex(vectors, rankable & ~hidden).search(queries, k)
        assert np.array_equal(found[1], expected[1])
        assert np.allclose(found[0], expected[0], atol=1e-6)
        assert np.array_equal(rest.without(hidden).search(queries, k)[1], expected[1])
    assert np.array_equal(whole.search(queries, 20)[1], ExactIndex(vectors, rankable).search(queries, 20)[1])
