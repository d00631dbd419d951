"""Baselines against plain loops."""

from __future__ import annotations

from itertools import chain

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine_models import baselines
from engine_models.baselines import NEAR_DECAY, Rules, TextRules, fit_rules, fit_text_rules, rank_near, rank_popular
from engine_models.metrics import DEPTH
from engine_models.successors import count_successors
from engine_runtime.search.fusion import Seen

N_ITEMS = 9
UNRANKABLE = 4
RANKABLE = np.arange(N_ITEMS) != UNRANKABLE
WALKS = st.lists(st.lists(st.integers(0, N_ITEMS - 1), max_size=8), min_size=1, max_size=6)


def seen_of(walks: list[list[int]]) -> Seen:
    """Histories as the runtime's ranking takes them."""
    offsets = np.concatenate(([0], np.cumsum([len(walk) for walk in walks]))).astype(np.int64)
    return Seen(offsets, np.array(list(chain.from_iterable(walks)), np.int32))


def rules_of(walks: list[list[int]], damping: float, decay: float) -> Rules:
    """Rules counted on `walks`."""
    seen = seen_of(walks)
    table = count_successors(seen.items, seen.offsets, N_ITEMS, damping=0)
    return Rules(table, np.bincount(seen.items, minlength=N_ITEMS), RANKABLE, damping, decay)


def best_first(scores: list[float], walk: list[int]) -> list[int]:
    """Unseen rankable items, best first, equal ones by number."""
    allowed = [item for item in range(N_ITEMS) if item not in walk and item != UNRANKABLE]
    return sorted(allowed, key=lambda item: (-np.float32(scores[item]), item))


@given(WALKS, WALKS, st.sampled_from((0.5, 0.25)))
def test_rules_are_those_of_a_loop(walks: list[list[int]], asked: list[list[int]], decay: float) -> None:
    """An item scores the decayed, damped sum of what followed the user's items; seen and unrankable ones are out."""
    rules = rules_of(walks, 0.5, decay)
    dense = rules.table.toarray()
    lists = rules.rank(seen_of(asked))
    assert lists.shape == (len(asked), DEPTH)
    for row, walk in enumerate(asked):
        rows = [decay**age * dense[item] for age, item in enumerate(reversed(walk))]
        scores = sum(rows, np.zeros(N_ITEMS)) / np.sqrt(np.maximum(rules.popularity, 1))
        found = [item for item in lists[row].tolist() if item >= 0]
        assert set(found) == set(best_first(scores.tolist(), walk))
        assert np.all(np.diff(scores[found]) <= 1e-6)


@given(WALKS, WALKS)
def test_popularity_is_that_of_a_loop(walks: list[list[int]], asked: list[list[int]]) -> None:
    """Everybody gets the same items by their counts, without those seen or unrankable."""
    popularity = np.bincount(seen_of(walks).items, minlength=N_ITEMS)
    lists = rank_popular(popularity, RANKABLE, seen_of(asked))
    for row, walk in enumerate(asked):
        expected = best_first(popularity.tolist(), walk)
        assert lists[row].tolist() == expected + [-1] * (DEPTH - len(expected))


def test_blocks_do_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    """Many users are ranked in blocks to the same lists."""
    generator = np.random.default_rng(0)
    walks = [generator.integers(0, N_ITEMS, generator.integers(0, 7)).tolist() for _ in range(23)]
    rules, seen = rules_of(walks, 0.1, 0.5), seen_of(walks)
    ruled, popular = rules.rank(seen), rank_popular(rules.popularity, RANKABLE, seen)
    monkeypatch.setattr(baselines, "BLOCK_USERS", 4)
    assert np.array_equal(rules.rank(seen), ruled)
    assert np.array_equal(rank_popular(rules.popularity, RANKABLE, seen), popular)


def test_rules_read_the_newest_events_only() -> None:
    """What stands more than `NEWEST` events back does not count."""
    rules = rules_of([[0, 1], [2, 3]], 0.0, 1.0)
    old = seen_of([[0] + [2] * baselines.NEWEST])
    assert rules.rank(old)[0, 0] == 3
    assert rules.rank(seen_of([[0] + [2] * (baselines.NEWEST - 1)]))[0, :2].tolist() == [3, 1]


def test_dials_are_chosen_on_the_targets() -> None:
    """The decay that ranks the validation targets best is taken."""
    walks = [[0, 1]] * 13 + [[2, 3]] * 9
    rules = rules_of(walks, 0.0, 0.5)
    old, new = seen_of([[0, 2]] * 5), np.full(5, 1, np.int32)
    assert fit_rules(rules.table, rules.popularity, RANKABLE, old, new).decay == 0.8
    assert fit_rules(rules.table, rules.popularity, RANKABLE, old, np.full(5, 3, np.int32)).decay == 0.5


@given(WALKS)
def test_nearness_is_that_of_a_loop(walks: list[list[int]]) -> None:
    """An item scores its product with the sum of the user's items, halved from each to the one before it."""
    vectors = np.random.default_rng(0).normal(size=(N_ITEMS, 4)).astype(np.float32)
    lists = rank_near(vectors, RANKABLE, seen_of(walks))
    for walk, found in zip(walks, lists, strict=True):
        query = sum((NEAR_DECAY**age * vectors[item] for age, item in enumerate(reversed(walk))), np.zeros(4))
        scores = (vectors @ query).tolist()
        expected = best_first(scores, walk)
        assert set(found[found >= 0].tolist()) == set(expected)
        assert np.all(np.diff([scores[item] for item in found[found >= 0]]) <= 1e-5)


@given(WALKS, WALKS)
def test_rules_with_text_add_a_cosine(walks: list[list[int]], asked: list[list[int]]) -> None:
    """An item scores what the rules say and the weighted cosine of its text to the decayed history."""
    rules = rules_of(walks, 0.5, 0.5)
    text = np.random.default_rng(0).normal(size=(N_ITEMS, 4)).astype(np.float32)
    text /= np.linalg.norm(text, axis=1, keepdims=True)
    lists = TextRules(rules, text, 0.3).rank(seen_of(asked))
    dense = rules.table.toarray()
    for walk, found in zip(asked, lists, strict=True):
        ages = [0.5**age for age in range(len(walk))]
        met = sum((w * text[item] for w, item in zip(ages, reversed(walk), strict=True)), np.zeros(4))
        counted = sum((w * dense[item] for w, item in zip(ages, reversed(walk), strict=True)), np.zeros(N_ITEMS))
        scores = counted / np.sqrt(np.maximum(rules.popularity, 1))
        scores = scores + 0.3 * (text @ met) / max(float(np.linalg.norm(met)), 1e-12)
        assert set(found[found >= 0].tolist()) == set(best_first(scores.tolist(), walk))
        assert np.all(np.diff(scores[found[found >= 0]]) <= 1e-5)


def test_weight_of_texts_is_chosen_on_the_targets() -> None:
    """Where texts mislead, their weight is the least; where they know what counts do not, it is more."""
    rules = rules_of([[0, 6, 7, 8, 1]], 0.0, 0.5)
    text = np.eye(N_ITEMS, dtype=np.float32)
    text[3] = text[0]
    asked = seen_of([[0]] * 5)
    assert fit_text_rules(rules, text, asked, np.full(5, 1, np.int32)).weight == min(baselines.TEXT_WEIGHTS)
    assert fit_text_rules(rules, text, asked, np.full(5, 3, np.int32)).weight > min(baselines.TEXT_WEIGHTS)
