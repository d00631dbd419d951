"""Histories for calibration and comparison, and the ranking of them."""

from __future__ import annotations

import numpy as np
import pytest

from engine_export import histories
from engine_export.histories import RefinerData, rank, refiner_data
from engine_runtime.artefacts.dataset import Dataset
from engine_runtime.artefacts.run import Run
from engine_runtime.data.inputs import ModelInputs
from engine_runtime.inference.refiner import Refined


def test_answers_are_validation_events(dataset: Dataset, trained: Run) -> None:
    """What is asked for is each user's event before the last, given the ones before it."""
    data = refiner_data(dataset, trained.info, np.load(trained.vectors))
    assert np.diff(data.questions.offsets).tolist() == [4] * 90
    first = data.questions.items[:4]
    # the shop's users go three items on at each step, round the catalogue
    assert data.answers[0] == (first[3] + 3) % 120
    assert np.diff(data.calibration.offsets).tolist() == [6] * 90


@pytest.fixture
def asked() -> tuple[Refined, RefinerData]:
    """Two users, five items on a line; the query ranks item 4 first, then 3, 2, 1, 0."""
    vectors = np.array([[0], [1], [2], [3], [4]], np.float32)
    offsets, items, events = np.array([0, 1, 3]), np.array([4, 4, 0], np.int32), np.arange(3)
    nothing = np.zeros(3, np.float32)
    inputs = ModelInputs(offsets, items, np.zeros(3, np.int8), nothing, nothing, events)
    data = RefinerData(inputs, inputs, np.array([3, 1]), vectors, np.array([True, True, False, True, True]))
    return Refined(np.ones((2, 1), np.float32), np.ones((2, 3), np.float32)), data


def test_ranking_leaves_out_what_was_seen(asked: tuple[Refined, RefinerData]) -> None:
    """Seen items and those that may not be recommended are not ranked: one answer is first, the other second."""
    ndcg, best = rank(*asked)
    assert sorted(ndcg) == pytest.approx([1 / np.log2(3), 1])
    assert best.shape == (2, 5)


def test_ranking_does_not_depend_on_the_chunk(
    asked: tuple[Refined, RefinerData], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A catalogue too large to score at once gives the same figures."""
    whole = rank(*asked)[0]
    monkeypatch.setattr(histories, "SCORES", 1)
    assert rank(*asked)[0].tolist() == whole.tolist()


def test_without_answers_there_is_no_ndcg(asked: tuple[Refined, RefinerData]) -> None:
    """Where nothing was left out, NDCG is unknown."""
    refined, data = asked
    unknown = RefinerData(data.calibration, data.questions, np.array([-1, -1]), data.vectors, data.rankable)
    assert not len(rank(refined, unknown)[0])
