"""HNSW against exact search, and the traps of its library."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from engine_runtime.errors import ArtefactError
from engine_runtime.search import hnsw
from engine_runtime.search.hnsw import HnswIndex
from engine_runtime.search.index import ExactIndex, Floats
from engine_runtime.search.points import Points


def unit(count: int, dim: int = 16, seed: int = 0) -> Floats:
    """Vectors of unit length."""
    drawn = np.random.default_rng(seed).normal(size=(count, dim)).astype(np.float32)
    return np.asarray(drawn / np.linalg.norm(drawn, axis=1, keepdims=True), np.float32)


def built(vectors: Floats, rankable: np.ndarray | None = None, ef: int = 64) -> HnswIndex:
    """An index over `vectors`."""
    chosen = np.ones(len(vectors), np.bool_) if rankable is None else rankable
    return HnswIndex.build(vectors, chosen, m=16, ef_construction=100, ef=ef, threads=2)


def test_it_finds_what_exact_search_finds() -> None:
    """With enough breadth the nearest are the exact ones, with their inner products."""
    vectors, queries = unit(1000), unit(50, seed=1)
    scores, items = built(vectors, ef=400).search(queries, 10)
    wanted, exact = ExactIndex(vectors, np.ones(1000, np.bool_)).search(queries, 10)
    assert (items == exact).mean() > 0.99
    assert np.allclose(scores, wanted, atol=1e-4)
    assert np.allclose(scores, np.einsum("nd,nkd->nk", queries, vectors[items]), atol=1e-5)


def test_among_many_copies_every_other_vector_is_found() -> None:
    """1,900 copies of one vector hide none of 100 others, and all copies are found together."""
    vectors = np.concatenate((np.repeat(unit(1), 1900, axis=0), unit(100, seed=2)))
    shuffled = np.random.default_rng(3).permutation(2000)
    index = built(vectors[shuffled])
    assert index.n_points == 101
    unique = np.flatnonzero(shuffled >= 1900)
    assert np.array_equal(index.search(vectors[shuffled][unique], 1)[1][:, 0], unique)
    scores, items = index.search(unit(1), 1950)
    assert set(items[0, :1900].tolist()) == set(np.flatnonzero(shuffled < 1900).tolist())
    assert np.all(np.diff(scores[0]) <= 0)
    assert len(set(items[0].tolist())) == 1950


def test_copies_come_by_number_and_never_beyond_k() -> None:
    """Items that share a vector come in order of their numbers, as many as were asked for."""
    vectors = unit(2)[[0, 1, 0, 1, 0]]
    index = built(vectors)
    assert index.search(vectors[:1], 2)[1].tolist() == [[0, 2]]
    assert index.search(vectors[:1], 4)[1].tolist() == [[0, 2, 4, 1]]
    assert index.search(vectors[:1], 7)[1].tolist() == [[0, 2, 4, 1, 3, -1, -1]]


def test_only_rankable_items_are_found() -> None:
    """An item that may not be recommended is not in the graph, nor is a copy of its vector hidden with it."""
    vectors = unit(100)
    vectors[50:60] = vectors[:10]
    rankable = np.arange(100) >= 10
    items = built(vectors, rankable).search(vectors[:10], 100)[1]
    assert items.max(initial=-1) == 99
    assert not np.isin(items, np.arange(10)).any()
    assert np.array_equal(items[:, 0], np.arange(50, 60))


def test_more_than_there_are() -> None:
    """Where fewer items exist, the rest is -1 and minus infinity."""
    scores, items = built(unit(5)).search(unit(2, seed=1), 8)
    assert (items[:, 5:] == -1).all()
    assert np.isneginf(scores[:, 5:]).all()
    assert np.array_equal(np.sort(items[:, :5]), np.tile(np.arange(5), (2, 1)))


def test_all_items_are_found_where_links_do_not_lead_to_all() -> None:
    """A search for all items is answered though some have no link to them."""
    generator = np.random.default_rng(0)
    vectors = (unit(500, 4) * np.exp(2 * generator.normal(size=(500, 1)))).astype(np.float32)
    index = HnswIndex.build(vectors, np.ones(500, np.bool_), m=4, ef_construction=20, ef=16, threads=1)
    scores, items = index.search(unit(3, 4, seed=1), 500)
    assert np.array_equal(np.sort(items), np.tile(np.arange(500), (3, 1)))
    assert np.all(np.diff(scores) <= 0)


def test_only_the_query_in_need_is_searched_exactly() -> None:
    """One whose links lead to too few points changes nothing for the others."""
    vectors, queries = unit(300), unit(40, seed=1)
    index = built(vectors)
    plain = index.search(queries, 10)
    graph = index._graph

    class Failing:
        """A graph that refuses the seventh query."""

        def __getattr__(self, name: str) -> object:
            return getattr(graph, name)

        def knn_query(self, asked: Floats, **given: int) -> object:
            if (asked == queries[7]).all(axis=1).any():
                raise RuntimeError("too few")
            return graph.knn_query(asked, **given)

    index._graph = Failing()
    scores, items = index.search(queries, 10)
    exact, wanted = ExactIndex(vectors, np.ones(300, np.bool_)).search(queries[7:8], 10)
    others = np.arange(40) != 7
    assert np.array_equal(items[others], plain[1][others])
    assert np.array_equal(scores[others], plain[0][others])
    assert items[7].tolist() == wanted[0].tolist()
    assert scores[7] == pytest.approx(exact[0])


@pytest.mark.parametrize("count", [1, 300, 512, 700])
def test_neighbours_are_searched_one_after_another(count: int) -> None:
    """Every query is in the order once; in whatever order and company, each gets the same, to the bit."""
    vectors, queries = unit(600), unit(count, seed=1)
    index = built(vectors)
    order = index.order(queries)
    assert sorted(order.tolist()) == list(range(count))
    nearest = (queries @ index._landmarks.T).argmax(axis=1)
    assert np.all(np.diff(nearest[order]) >= 0)
    scores, items = index.search(queries, 5)
    for row in range(0, count, 17):
        alone = index.search(queries[row : row + 1], 5)
        assert np.array_equal(alone[0][0], scores[row])
        assert np.array_equal(alone[1][0], items[row])
    assert built(unit(0)).order(queries).tolist() == list(range(count))


@pytest.mark.parametrize("n_items", [0, 5])
def test_no_queries_and_no_answers(n_items: int) -> None:
    """No queries, k 0 and an empty index all have an answer of the right shape."""
    index = built(unit(n_items))
    assert index.search(unit(0), 3)[1].shape == (0, 3)
    assert index.search(unit(2), 0)[1].shape == (2, 0)
    assert built(unit(5), np.zeros(5, np.bool_)).search(unit(2), 3)[1].tolist() == [[-1] * 3] * 2


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_query_that_is_not_finite_is_refused(value: float) -> None:
    """Of NaN, hnswlib would make any answer."""
    queries = unit(2)
    queries[1, 3] = value
    with pytest.raises(ValueError, match="not finite"):
        built(unit(5)).search(queries, 1)


def test_a_loaded_index_is_the_one_saved(tmp_path: Path) -> None:
    """A file round trip changes no answer, and the breadth of search, which hnswlib forgets, is set again."""
    vectors, queries = unit(600), unit(20, seed=1)
    rankable = np.arange(600) % 5 > 0
    index = built(vectors, rankable, ef=77)
    index.save(tmp_path / "graph")
    loaded = HnswIndex.load(tmp_path / "graph", vectors, rankable, ef=77, threads=1)
    assert np.array_equal(loaded.search(queries, 10)[1], index.search(queries, 10)[1])
    assert loaded._graph.ef == 77
    loaded.search(queries, 300)
    assert loaded._graph.ef == 300


def test_a_build_is_repeatable(tmp_path: Path) -> None:
    """The same vectors give the same file."""
    for name in ("one", "two"):
        built(unit(300)).save(tmp_path / name)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def test_a_large_build_is_shared_and_watched(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond a size several threads insert, block by block: all points are told of, and each is found."""
    monkeypatch.setattr(hnsw, "ONE_THREAD_POINTS", 100)
    monkeypatch.setattr(hnsw, "BLOCK_ROWS", 64)
    vectors, told = unit(500), list[int]()
    index = HnswIndex.build(
        vectors, np.ones(500, np.bool_), m=16, ef_construction=100, ef=64, threads=2, advance=told.append
    )
    assert told == [64] * 7 + [52]
    assert np.array_equal(index.search(vectors, 1)[1][:, 0], np.arange(500))


@pytest.mark.parametrize("content", [None, b"", b"no graph" * 20])
def test_a_file_that_is_no_graph(tmp_path: Path, content: bytes | None) -> None:
    """A missing or damaged graph is an artefact's fault."""
    if content is not None:
        (tmp_path / "graph").write_bytes(content)
    with pytest.raises(ArtefactError, match="engine index"):
        HnswIndex.load(tmp_path / "graph", unit(5), np.ones(5, np.bool_), ef=8, threads=1)


def test_a_graph_of_other_vectors_is_refused(tmp_path: Path) -> None:
    """The points of the graph are counted against the vectors."""
    built(unit(9)).save(tmp_path / "graph")
    with pytest.raises(ArtefactError, match="9 points, the vectors 5"):
        HnswIndex.load(tmp_path / "graph", unit(5), np.ones(5, np.bool_), ef=8, threads=1)


def renewed(index: HnswIndex, vectors: Floats, rankable: np.ndarray | None = None) -> HnswIndex:
    """The same graph over other vectors."""
    return index.renewed(vectors, np.ones(len(vectors), np.bool_) if rankable is None else rankable)


def test_a_renewed_index_finds_what_a_new_one_finds(tmp_path: Path) -> None:
    """After items came, went, moved and changed, all searches are those over the new catalogue, also once saved."""
    old, queries = unit(1000), unit(40, seed=1)
    vectors = np.concatenate((unit(60, seed=2), old[100:][::-1], old[:20]))
    rankable = np.arange(len(vectors)) % 50 > 0
    index = renewed(built(old, ef=300), vectors, rankable)
    wanted, exact = ExactIndex(vectors, rankable).search(queries, 10)
    scores, items = index.search(queries, 10)
    assert (items == exact).mean() > 0.99
    assert np.allclose(scores, wanted, atol=1e-4)
    index.save(tmp_path / "graph")
    index.points.save(tmp_path / "points")
    points = Points.load(tmp_path / "points", rankable, 16)
    loaded = HnswIndex.load(tmp_path / "graph", vectors, rankable, ef=300, threads=1, points=points)
    assert np.array_equal(loaded.search(queries, 10)[1], items)
    assert len(points) > points.n_living == loaded.n_points


def test_what_is_gone_is_never_found() -> None:
    """Though all remaining items are asked for, none that left comes back; an item that returns is found again."""
    old = unit(200)
    index = renewed(built(old), old, np.arange(200) >= 150)
    items = index.search(old[:5], 200)[1]
    assert np.array_equal(np.unique(items), np.arange(-1, 200)[np.r_[0, 151:201]])
    again = renewed(index, old)
    assert np.array_equal(again.search(old, 1)[1][:, 0], np.arange(200))
    assert again.n_points == 200


def test_an_unchanged_catalogue_adds_nothing() -> None:
    """The graph of the same vectors, in whatever order, has the points that it had."""
    old = unit(300)
    index = renewed(built(old), old[::-1].copy())
    assert len(index.points) == index.n_points == 300
    assert np.array_equal(index.search(old[:20], 1)[1][:, 0], 299 - np.arange(20))
