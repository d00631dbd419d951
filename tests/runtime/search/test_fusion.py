"""The fused ranking against plain loops."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tiny
from engine_runtime.artefacts.run import Fusion
from engine_runtime.search import fusion as fusing
from engine_runtime.search.fusion import Ranking, Seen, rank, search_breadth, users_a_block, wide_queries
from engine_runtime.search.hnsw import HnswIndex
from engine_runtime.search.index import Asked, ExactIndex, Floats, Gathered
from engine_runtime.search.successors import SuccessorTable

N = 9
VECTORS = np.random.default_rng(0).integers(-2, 3, (N, 2)).astype(np.float32)  # whole numbers: ties, no rounding
RANKABLE = np.arange(N) != 4
INDEX = ExactIndex(VECTORS, RANKABLE)
ROWS = st.lists(
    st.dictionaries(st.integers(0, N - 1), st.sampled_from([0.5, 1.0, 4.0]), max_size=4), min_size=N + 1, max_size=N + 1
)
QUERY = st.tuples(st.integers(-2, 2).map(float), st.integers(-2, 2).map(float))
USERS = st.lists(st.tuples(QUERY, st.lists(st.integers(0, N - 1), max_size=7)), max_size=5)
FUSIONS = st.builds(
    Fusion,
    weight=st.sampled_from([0.0, 0.5, 2.0]),
    decay=st.sampled_from([0.5, 1.0]),
    n_events=st.integers(1, 4),
    n_candidates=st.integers(1, 6),
    bonus=st.sampled_from([0.0, 1.5, -1.0]),
)
NEW = np.arange(N) % 4 == 1


def seen_of(histories: list[list[int]]) -> Seen:
    """Histories as arrays."""
    return Seen(
        np.cumsum([0, *map(len, histories)]).astype(np.int64),
        np.array([item for history in histories for item in history], np.int32),
    )


def plain_rank(
    query: tuple[float, ...], history: list[int], rows: list[dict[int, float]], fusion: Fusion, k: int
) -> list[tuple[int, float]]:
    """The best items of one user, with their scores."""
    known = any(query)
    product = {item: sum(a * b for a, b in zip(query, VECTORS[item].tolist(), strict=True)) for item in range(N)}
    fresh = [item for item in range(N) if RANKABLE[item] and item not in history]
    best = sorted(fresh, key=lambda item: (-product[item], item))
    candidates = best[: max(fusion.n_candidates, k)] if known else []
    rule: dict[int, float] = {}
    if not known or not history:
        rule = dict(rows[-1])
    elif fusion.weight > 0:
        for age, met in enumerate(reversed(history[-fusion.n_events :])):
            for item, weight in rows[met].items():
                rule[item] = rule.get(item, 0) + weight * fusion.decay**age
    rule = {item: weight for item, weight in rule.items() if item in fresh}
    weight = fusion.weight if known else 1.0
    score = {
        item: product[item]
        + weight * math.log(1 + rule.get(item, 0.0) / fusion.floor)
        + (fusion.bonus if known and NEW[item] else 0.0)
        for item in {*candidates, *rule}
    }
    return sorted(score.items(), key=lambda pair: (-round(pair[1], 9), pair[0]))[:k]


@given(USERS, ROWS, FUSIONS, st.integers(1, 10))
@settings(max_examples=200)
def test_ranking_is_that_of_plain_loops(
    users: list[tuple[tuple[float, float], list[int]]], rows: list[dict[int, float]], fusion: Fusion, k: int
) -> None:
    """Candidates, rule, bonus, masking and ties are those of the definition, whoever is in the batch."""
    query = np.array([query for query, _ in users], np.float32).reshape(-1, 2)
    ranking = rank(query, seen_of([history for _, history in users]), INDEX, tiny.table_of(rows), fusion, k, NEW)
    assert ranking.items.shape == ranking.scores.shape == (len(users), k)
    for row, (own, history) in enumerate(users):
        wanted = plain_rank(own, history, rows, fusion, k)
        found = list(zip(ranking.items[row].tolist(), ranking.scores[row].tolist(), strict=True))
        assert found[len(wanted) :] == [(-1, -math.inf)] * (k - len(wanted))
        assert [score for _, score in found[: len(wanted)]] == pytest.approx(
            [score for _, score in wanted], rel=1e-5, abs=1e-6
        )
        levels = {round(score, 5) for _, score in wanted}
        if len(levels) == len(wanted):
            assert [item for item, _ in found[: len(wanted)]] == [item for item, _ in wanted]
        assert not {item for item, _ in found} & {*history, 4}


def crowd(count: int, n_items: int, dim: int = 8) -> tuple[Floats, Floats, list[list[int]], SuccessorTable]:
    """Item vectors, queries, histories of up to 40 events, and a table."""
    generator = np.random.default_rng(5)
    vectors = generator.normal(size=(n_items, dim)).astype(np.float32)
    histories = [generator.integers(0, n_items, size=user % 41).tolist() for user in range(count)]
    query = generator.normal(size=(count, dim)).astype(np.float32)
    query[[not history for history in histories]] = 0
    return vectors, query, histories, tiny.random_table(n_items, size=10)


FUSION = Fusion(weight=0.4, decay=0.8, n_events=5, n_candidates=20)


def same(left: Ranking, right: Ranking) -> bool:
    """Whether two rankings agree within 1e-6."""
    return np.array_equal(left.items, right.items) and np.allclose(left.scores, right.scores, atol=1e-6)


@pytest.mark.parametrize("method", ["exact", "hnsw"])
def test_a_user_alone_is_the_user_in_a_batch(method: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a user gets depends on no other user, nor on the blocks that users are ranked in."""
    vectors, query, histories, table = crowd(90, 500)
    rankable = np.arange(500) % 9 > 0
    index = (
        ExactIndex(vectors, rankable)
        if method == "exact"
        else HnswIndex.build(vectors, rankable, m=16, ef_construction=100, ef=64, threads=1)
    )
    together = rank(query, seen_of(histories), index, table, FUSION, 10)
    for user in range(0, 90, 7):
        alone = rank(query[user : user + 1], seen_of([histories[user]]), index, table, FUSION, 10)
        assert same(alone, Ranking(together.items[user : user + 1], together.scores[user : user + 1]))
    monkeypatch.setattr(fusing, "MOST_USERS", 4)
    assert same(rank(query, seen_of(histories), index, table, FUSION, 10), together)


def test_seen_items_never_come_back_and_k_is_filled() -> None:
    """However much a user has seen, k unseen items are found while there are any, each once."""
    vectors, query, _, table = crowd(6, 60)
    query[0] = 1
    order = np.random.default_rng(0).permutation(60).tolist()
    histories = [order[:count] for count in (1, 20, 45, 52, 59, 60)]
    ranking = rank(query, seen_of(histories), ExactIndex(vectors, np.ones(60, np.bool_)), table, FUSION, 10)
    for row, history in zip(ranking.items, histories, strict=True):
        found = row[row >= 0].tolist()
        assert len(found) == len(set(found)) == min(10, 60 - len(history))
        assert not set(found) & set(history)
    assert np.isfinite(ranking.scores[ranking.items >= 0]).all()
    falling = ranking.scores[:, :-1] >= ranking.scores[:, 1:]
    assert falling.all()


def test_a_user_without_events_sees_what_is_popular() -> None:
    """The start row alone, in its order: no item that happens to have the lowest number fills up the list."""
    rows: list[dict[int, float]] = [{} for _ in range(N)]
    table = tiny.table_of([*rows, {7: 2.0, 5: 3.0, 4: 9.0}])
    ranking = rank(np.zeros((1, 2), np.float32), seen_of([[]]), INDEX, table, FUSION, 4)
    assert ranking.items.tolist() == [[5, 7, -1, -1]]
    assert ranking.scores[0, :2].tolist() == pytest.approx([math.log1p(3 / FUSION.floor), math.log1p(2 / FUSION.floor)])


def test_a_query_counts_without_items_in_the_catalogue() -> None:
    """A user all of whose items are new is ranked by the query; one without a query by what is popular, unseen."""
    rows: list[dict[int, float]] = [{} for _ in range(N)]
    table = tiny.table_of([*rows, {7: 1.0, 5: 3.0}])
    query = np.array([[1, 0], [0, 0]], np.float32)
    ranking = rank(query, seen_of([[], [5]]), INDEX, table, dataclasses.replace(FUSION, weight=0.0), 3)
    assert ranking.items[0].tolist() == [item for item, _ in plain_rank((1, 0), [], [*rows, {}], FUSION, 3)]
    assert ranking.items[1].tolist() == [7, -1, -1]


def test_weight_0_leaves_the_model_alone() -> None:
    """Without the rule, the order is that of the inner products."""
    vectors, query, histories, table = crowd(20, 100)
    index = ExactIndex(vectors, np.ones(100, np.bool_))
    ranking = rank(query[1:], seen_of(histories[1:20]), index, table, FUSION.alone(), 5)
    for row in range(19):
        unseen = [item for item in np.argsort(-vectors @ query[row + 1]).tolist() if item not in histories[row + 1]]
        assert ranking.items[row].tolist() == unseen[:5]


@pytest.mark.parametrize("rankable", [np.zeros(N, np.bool_), np.arange(N) == 2])
def test_few_items_to_recommend(rankable: np.ndarray) -> None:
    """A catalogue of which nothing, or one item, may be recommended gives empty or short lists."""
    rows: list[dict[int, float]] = [{2: 1.0, 3: 1.0}] * (N + 1)
    index = ExactIndex(VECTORS, rankable)
    query = np.array([[1, 1], [0, 0], [2, 0]], np.float32)
    ranking = rank(query, seen_of([[1], [], [2]]), index, tiny.table_of(rows), FUSION, 3)
    found = [[item for item in row if item >= 0] for row in ranking.items.tolist()]
    assert found == ([[2], [2], []] if rankable.any() else [[], [], []])


def test_an_index_that_finds_too_little_gives_finite_scores() -> None:
    """Where the search finds seen items alone, the rule's items come with their own inner products."""

    class Blind(ExactIndex):
        def search(self, queries: Floats, k: int) -> tuple[Floats, np.ndarray]:
            """Find item 0 and nothing else."""
            scores, items = np.full((len(queries), k), -np.inf, np.float32), np.full((len(queries), k), -1, np.int32)
            items[:, 0], scores[:, 0] = 0, 1.0
            return scores, items

        def ask(self, queries: Floats) -> Asked:
            """Search as above."""
            return Gathered(self, queries)

    rows: list[dict[int, float]] = [{3: 1.0}] * (N + 1)
    ranking = rank(
        np.full((1, 2), 50, np.float32), seen_of([[0]]), Blind(VECTORS, RANKABLE), tiny.table_of(rows), FUSION, 2
    )
    assert ranking.items.tolist() == [[3, -1]]
    product = float(np.full(2, 50, np.float32) @ VECTORS[3])
    assert ranking.scores[0, 0] == pytest.approx(product + FUSION.weight * math.log1p(1 / FUSION.floor))


def test_breadth_grows_with_what_was_seen() -> None:
    """Breadth leaves room for all seen items, is a function of the user alone, and takes few values."""
    seen = np.arange(1000)
    breadth = search_breadth(seen, 50)
    assert (breadth >= 50 + seen).all()
    assert breadth[0] == 50
    assert len(np.unique(breadth)) <= 12
    assert (np.diff(breadth) >= 0).all()


@pytest.mark.parametrize("n_items", [0, 1, 10**4, 10**6, 2**25, 2**30])
def test_a_place_in_a_ranking_is_one_number(n_items: int) -> None:
    """User, score and item fit 63 bits, and small catalogues are ranked for many users at a time."""
    users = users_a_block(n_items)
    assert 1 <= users <= 256
    assert (((users - 1) << 32 | (2**32 - 1)) << n_items.bit_length() | max(0, n_items - 1)) < 2**63
    assert users >= 64 or n_items >= 2**25


def test_no_users() -> None:
    """Of nobody comes nothing."""
    ranking = rank(np.zeros((0, 2), np.float32), seen_of([]), INDEX, tiny.random_table(N), FUSION, 3)
    assert ranking.items.shape == ranking.scores.shape == (0, 3)


def test_wide_queries_ask_for_the_texts_of_the_newest_events() -> None:
    """Beside q_u stands the decayed mean of the newest directions, weighted; nothing for a user without a query."""
    generator = np.random.default_rng(0)
    directions = generator.standard_normal((12, 3)).astype(np.float32)
    query = generator.standard_normal((4, 2)).astype(np.float32)
    query[3] = 0
    histories = [[1, 5, 7, 2, 9, 3], [4], [], [6, 8]]
    fusion = dataclasses.replace(FUSION, text_weight=3.0, text_decay=0.5, n_events=4)
    wide = wide_queries(query, seen_of(histories), directions, fusion)
    factors = np.array([0.125, 0.25, 0.5, 1.0])
    newest = (directions[histories[0][-4:]] * factors[:, None]).sum(0) / factors.sum()
    assert wide[:, :2].tolist() == query.tolist()
    assert np.allclose(wide[0, 2:], 3 * newest, atol=1e-5)
    assert np.allclose(wide[1, 2:], 3 * directions[4], atol=1e-5)
    assert not wide[2:, 2:].any()
    assert not wide_queries(query, seen_of(histories), directions, fusion.alone())[:, 2:].any()
