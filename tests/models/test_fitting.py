"""Fitting the fusion."""

from __future__ import annotations

import numpy as np
import pytest

from engine_models.fitting import Questions, fit_fusion
from engine_models.metrics import NAMES
from engine_models.successors import count_successors, successor_table
from engine_runtime.search.fusion import Seen
from engine_runtime.search.index import ExactIndex
from engine_runtime.search.successors import SuccessorTable

N_ITEMS, USERS = 60, 80


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
    return Questions(query, Seen(np.arange(USERS + 1), last.astype(np.int32)), targets)


def test_a_table_of_noise_gets_no_weight(index: ExactIndex) -> None:
    """Where the model is right and successions are random, the model is left alone."""
    pairs = np.random.default_rng(2).integers(0, N_ITEMS, (400, 2)).tolist()
    fusion, metrics = fit_fusion(questions(index, 30.0), index, table_of(pairs))
    assert fusion.weight == 0
    assert metrics["ndcg@10"] == metrics["model_ndcg@10"] > 0.95


def test_a_table_that_knows_gets_weight(index: ExactIndex) -> None:
    """Where the query is noise and the table right, the table decides."""
    pairs = [[item, (item + 1) % N_ITEMS] for item in range(N_ITEMS)]
    fusion, metrics = fit_fusion(questions(index, 0.0), index, table_of(pairs))
    assert fusion.weight > 0
    assert metrics["ndcg@10"] > 0.95
    assert metrics["model_ndcg@10"] < 0.4
    assert set(metrics) == {*NAMES, *(f"model_{name}" for name in NAMES)}


def test_nobody_to_fit_on(index: ExactIndex) -> None:
    """Without validation users the model is left alone and all metrics are 0."""
    nobody = Questions(
        np.zeros((0, 16), np.float32), Seen(np.zeros(1, np.int64), np.zeros(0, np.int32)), np.zeros(0, np.int32)
    )
    fusion, metrics = fit_fusion(nobody, index, table_of([[0, 1]]))
    assert fusion.weight == 0
    assert not any(metrics.values())
