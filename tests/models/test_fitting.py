"""Fitting the fusion."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from engine_models.fitting import Questions, fit_bonus, fit_fusion
from engine_models.metrics import NAMES
from engine_models.successors import count_successors, successor_table
from engine_runtime.search.fusion import Seen
from engine_runtime.search.index import ExactIndex
from engine_runtime.search.successors import SuccessorTable

N_ITEMS, USERS = 60, 80
SILENT = np.zeros((N_ITEMS, 0), np.float32)


def table_of(pairs: list[list[int]]) -> SuccessorTable:
    """The successor table of histories of two events."""
    items = np.array(pairs, np.int32).ravel()
    counts = count_successors(items, np.arange(0, len(items) + 1, 2), N_ITEMS)
    return successor_table(counts, np.bincount(items, minlength=N_ITEMS))


@pytest.fixture
def index() -> ExactIndex:
    vectors = np.random.default_rng(0).standard_normal((N_ITEMS, 16)).astype(np.float32)
    return ExactIndex(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), np.ones(N_ITEMS, np.bool_))


def questions(index: ExactIndex, strength: float) -> Questions:
    """Users who have met one item and take the next; queries point to it with some strength, in noise."""
    generator = np.random.default_rng(1)
    last = generator.integers(0, N_ITEMS, USERS)
    targets = ((last + 1) % N_ITEMS).astype(np.int32)
    noise = generator.standard_normal((USERS, 16)).astype(np.float32)
    query = strength * index.vectors[targets] + noise
    return Questions(query, Seen(np.arange(USERS + 1), last.astype(np.int32)), SILENT, targets)


def test_a_table_of_noise_gets_no_weight(index: ExactIndex) -> None:
    """Where the model is right and successions are random, the model is left alone."""
    pairs = np.random.default_rng(2).integers(0, N_ITEMS, (400, 2)).tolist()
    fusion, metrics = fit_fusion(questions(index, 30.0), index, table_of(pairs))
    assert fusion.weight == 0
    assert metrics["ndcg@10"] == metrics["model_ndcg@10"] > 0.95


def test_a_table_that_knows_gets_weight(index: ExactIndex) -> None:
    """Where the query is noise and the table right, the table decides."""
    pairs = [[item, (item + 1) % N_ITEMS] for item in range(N_ITEMS)] * 20
    fusion, metrics = fit_fusion(questions(index, 0.0), index, table_of(pairs))
    assert fusion.weight > 0
    assert metrics["ndcg@10"] > 0.95
    assert metrics["model_ndcg@10"] < 0.4
    assert set(metrics) == {*NAMES, *(f"model_{name}" for name in NAMES)}


def test_nobody_to_fit_on(index: ExactIndex) -> None:
    """Without validation users the model is left alone and all metrics are 0."""
    nobody = Questions(
        np.zeros((0, 16), np.float32), Seen(np.zeros(1, np.int64), np.zeros(0, np.int32)), SILENT, np.zeros(0, np.int32)
    )
    fusion, metrics = fit_fusion(nobody, index, table_of([[0, 1]]))
    assert fusion.weight == 0
    assert not any(metrics.values())


def test_new_items_get_the_bonus_that_the_others_can_bear(index: ExactIndex) -> None:
    """The bonus grows while the other items' NDCG@10 holds, and is 0 where the smallest one costs too much."""
    asked = questions(index, 8.0)
    table = table_of([[0, 1]])
    new = np.arange(N_ITEMS) == 59
    fusion, _ = fit_fusion(asked, index, table)
    few = fit_bonus(asked, index, table, fusion, new)
    assert few.bonus > 1
    assert few == dataclasses.replace(fusion, bonus=few.bonus)
    many = fit_bonus(asked, index, table, fusion, np.arange(N_ITEMS) > 5)
    assert many.bonus < few.bonus
    assert fit_bonus(asked, index, table, fusion, np.zeros(N_ITEMS, np.bool_)) == fusion


def test_texts_that_know_get_weight() -> None:
    """Where queries are noise and the next item has the text of the last one, likeness of texts decides."""
    generator = np.random.default_rng(3)
    directions = np.repeat(generator.standard_normal((N_ITEMS // 2, 12)), 2, axis=0).astype(np.float32)
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    learned = generator.standard_normal((N_ITEMS, 4)).astype(np.float32)
    index = ExactIndex(np.concatenate((learned, directions), axis=1), np.ones(N_ITEMS, np.bool_))
    last = generator.integers(0, N_ITEMS, USERS)
    query = generator.standard_normal((USERS, 4)).astype(np.float32)
    seen = Seen(np.arange(USERS + 1), last.astype(np.int32))
    asked = Questions(query, seen, directions, (last ^ 1).astype(np.int32))
    fusion, metrics = fit_fusion(asked, index, table_of([[0, 1]]))
    assert fusion.text_weight > 0
    assert metrics["ndcg@10"] > 0.95 > metrics["model_ndcg@10"] + 0.5
