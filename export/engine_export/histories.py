"""Histories of a data set as a refiner reads them, for calibration and comparison.

Knows histories, item vectors and sessions; knows nothing of quantization. What is ranked here is the validation event
of users that have one, so the test events stay unseen.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import onnx

from engine_export.calibrate import BUDGET, Feed
from engine_export.compare import NEIGHBOURS, Ints, cosines, invariance, overlap
from engine_export.graph import Floats
from engine_export.parity import RefinerParity
from engine_models.corpus import evenly
from engine_models.metrics import Doubles, estimate
from engine_models.split import leave_one_out, until
from engine_runtime.artefacts.dataset import Dataset
from engine_runtime.artefacts.run import RefinerShape, RunInfo
from engine_runtime.data.histories import Histories
from engine_runtime.data.inputs import ModelInputs, model_inputs
from engine_runtime.data.schema import RANKABLE
from engine_runtime.data.stored import read_catalogue, read_histories
from engine_runtime.errors import InputError
from engine_runtime.inference.batching import cut_equal
from engine_runtime.inference.refiner import Refined, Refiner

CALIBRATION_USERS = 512
PARITY_USERS = 2000

# Scores that are held at a time, whatever the size of the catalogue.
SCORES = 1 << 24


@dataclass(frozen=True)
class RefinerData:
    """What a refiner is calibrated and compared on.

    Attributes
    ----------
    calibration
        Whole histories of some users.
    questions
        Histories of some users up to an event that is left out; whole ones where no user has enough events.
    answers
        The item left out, int64 [questions]; -1 where nothing is.
    vectors
        float32 [items, dim].
    rankable
        bool [items].
    """

    calibration: ModelInputs
    questions: ModelInputs
    answers: Ints
    vectors: Floats
    rankable: npt.NDArray[np.bool_]


def refiner_data(dataset: Dataset, info: RunInfo, vectors: Floats) -> RefinerData:
    """Choose histories of `dataset`, evenly over its users.

    Parameters
    ----------
    dataset
        The data set that the run was trained on.
    info
        Of the run.
    vectors
        Item vectors of the whole catalogue, float32 [items, dim].

    Raises
    ------
    InputError
        No user has an ordered event.
    """
    histories = read_histories(dataset)
    rankable = read_catalogue(dataset.items)[RANKABLE].to_numpy()
    some = np.flatnonzero(histories.n_ordered)
    if not len(some):
        raise InputError(f"{dataset.root} has no ordered event to calibrate the refiner on.")
    calibration = histories.take(some[evenly(len(some), CALIBRATION_USERS)])
    split = leave_one_out(histories, info.event_weights, rankable)
    if len(split.users):
        asked = evenly(len(split.users), PARITY_USERS)
        answers = split.histories.items[split.valid[asked]].astype(np.int64)
        questions = until(split.histories, split.users[asked], split.valid[asked])
    else:
        questions = histories.take(some[evenly(len(some), PARITY_USERS)])
        answers = np.full(len(questions), -1, np.int64)
    return RefinerData(_inputs(calibration, info), _inputs(questions, info), answers, vectors, rankable)


def history_feeds(graph: onnx.ModelProto, shape: RefinerShape, data: RefinerData) -> list[Feed]:
    """Calibration feeds of a refiner graph: batches of equal length."""
    refiner = Refiner(graph.SerializeToString(), shape)
    lengths = np.minimum(np.diff(data.calibration.offsets), shape.max_events)
    some = np.flatnonzero(lengths)
    return [refiner.feed(data.calibration, data.vectors, some[rows]) for rows in cut_equal(lengths[some], BUDGET)]


def compare_refiners(
    exact: onnx.ModelProto, other: onnx.ModelProto, shape: RefinerShape, data: RefinerData
) -> RefinerParity:
    """Parity of the variant `other` of a refiner."""
    runner = Refiner(other.SerializeToString(), shape)
    left = Refiner(exact.SerializeToString(), shape).refine(data.questions, data.vectors)
    right = runner.refine(data.questions, data.vectors)

    some = np.flatnonzero(np.diff(data.questions.offsets))

    def results(rows: Ints) -> tuple[Floats, Floats]:
        found = runner.refine(data.questions.take(some[rows]), data.vectors)
        return found.query, found.profile

    cosine = cosines(left.query, right.query)
    exactly, best_left = rank(left, data)
    gains, best_right = rank(right, data)
    ndcg_fp32 = float(exactly.mean()) if len(exactly) else 0.0
    change = estimate(gains - exactly)
    return RefinerParity(
        cosine_mean=float(cosine.mean()),
        cosine_p1=float(np.percentile(cosine, 1)),
        cosine_min=float(cosine.min()),
        overlap=overlap(best_left, best_right),
        profile_error=float(np.abs(left.profile - right.profile).max()),
        invariance=invariance(len(some), results),
        ndcg=float(gains.mean()) if len(gains) else None,
        ndcg_fp32=ndcg_fp32 if len(exactly) else None,
        ndcg_change=change.mean / ndcg_fp32 if ndcg_fp32 else None,
        ndcg_change_low=change.low / ndcg_fp32 if ndcg_fp32 else None,
        ndcg_change_high=change.high / ndcg_fp32 if ndcg_fp32 else None,
    )


def rank(refined: Refined, data: RefinerData) -> tuple[Doubles, Ints]:
    """Rank the whole catalogue for every question, items of its history left out.

    Returns
    -------
    ndcg : float64 [answered]
        NDCG@10 of each question that has an answer, the answer as the one relevant item.
    best : int64 [questions, 10]
        The items ranked highest.
    """
    gains, best = [], []
    k = min(NEIGHBOURS, len(data.vectors))
    for rows in _chunks(len(data.answers), len(data.vectors)):
        scores = refined.query[rows] @ data.vectors.T
        scores[:, ~data.rankable] = -np.inf
        for line, row in enumerate(rows):
            seen = data.questions.items[data.questions.offsets[row] : data.questions.offsets[row + 1]]
            scores[line, seen[seen != data.answers[row]]] = -np.inf
        highest = np.argpartition(-scores, k - 1, axis=1)[:, :k]
        best.append(highest.astype(np.int64))
        answered = data.answers[rows] >= 0
        own = scores[np.arange(len(rows)), np.maximum(data.answers[rows], 0)]
        place = (scores > own[:, None]).sum(axis=1)
        gains.append(np.where(place < NEIGHBOURS, 1 / np.log2(place + 2), 0)[answered])
    return np.concatenate(gains), np.concatenate(best)


def _inputs(histories: Histories, info: RunInfo) -> ModelInputs:
    return model_inputs(histories, info.value, info.gap, info.shape.max_events)


def _chunks(count: int, width: int) -> Iterator[Ints]:
    step = max(1, SCORES // max(width, 1))
    for start in range(0, count, step):
        yield np.arange(start, min(start + step, count))
