"""Label heads at serving time, against the sum that they stand for."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from engine_runtime.artefacts.labels import Interval, LabelInfo
from engine_runtime.data.histories import Histories, histories_from
from engine_runtime.errors import ArtefactError
from engine_runtime.profile.labels import Floats, LabelHeads, evidence

ITEMS, DIM, CONCEPTS = 6, 4, 3
NOTHING = Interval(0.0, 0.0, 0.0)


def info(name: str, *classes: str) -> LabelInfo:
    """A head of no particular quality."""
    return LabelInfo(name, classes, (), 1.0, 1.0, 10, 2, 0.5, 0.5, NOTHING, NOTHING, 0.0)


INFOS = (info("sex", "f", "m"), info("age", "young", "middle", "old"))
GENERATOR = np.random.default_rng(0)


def normal(*shape: int) -> Floats:
    """Random numbers."""
    return GENERATOR.normal(size=shape).astype(np.float32)


def positive(*shape: int) -> Floats:
    """Random numbers from 0.1 to 1."""
    return GENERATOR.uniform(0.1, 1, shape).astype(np.float32)


HEADS = LabelHeads(
    rarity=positive(ITEMS),
    own=normal(ITEMS, 5),
    valued=normal(ITEMS, 5),
    shared=normal(DIM, 5),
    profile=normal(CONCEPTS, 5),
    bias=normal(5),
)
VECTORS = normal(ITEMS + 1, DIM)
PROFILES = positive(3, CONCEPTS)


def by_hand(items: list[int], values: list[float], profile: Floats) -> Floats:
    """The formula of the module for one user's distinct items; item 6 is new to the heads."""
    rarity = np.append(HEADS.rarity, np.float32(1))[items]
    own, valued = (np.vstack((table, np.zeros((1, 5), np.float32)))[items] for table in (HEADS.own, HEADS.valued))
    shares = rarity / np.sqrt((rarity**2).sum())
    each = VECTORS[items] @ HEADS.shared + own + np.array(values, np.float32)[:, None] * valued
    return np.asarray(HEADS.bias + np.sqrt(profile) @ HEADS.profile + shares @ each, np.float32)


def histories() -> Histories:
    """Three users: one who met item 0 twice, one who met the new item, one without events."""
    return histories_from([[0, 3, 0], [2, 6], []])


def test_scores_are_the_sum_of_the_formula() -> None:
    """Each class's score is the sum over distinct items, the newest event's value with each, and the profile."""
    reader = HEADS.renumbered(np.array([0, 1, 2, 3, 4, 5, -1], np.int32), VECTORS)
    values = np.array([9, 2, -1, 0.5, 3], np.float32)
    found = reader.logits(histories(), values, PROFILES)
    assert np.allclose(found[0], by_hand([3, 0], [2, -1], PROFILES[0]), atol=1e-5)
    assert np.allclose(found[1], by_hand([2, 6], [0.5, 3], PROFILES[1]), atol=1e-5)


def test_probabilities_are_of_each_head_alone() -> None:
    """Each attribute's probabilities sum to 1, and of a user without events nothing is said."""
    reader = HEADS.renumbered(np.array([0, 1, 2, 3, 4, 5, -1], np.int32), VECTORS)
    sex, age = reader.predict(INFOS, histories(), np.zeros(5, np.float32), PROFILES)
    assert (sex.name, sex.classes, sex.probabilities.shape) == ("sex", ("f", "m"), (3, 2))
    assert (age.name, age.probabilities.shape) == ("age", (3, 3))
    for prediction in (sex, age):
        assert np.allclose(prediction.probabilities[:2].sum(1), 1, atol=1e-6)
        assert np.isnan(prediction.probabilities[2]).all()


def test_another_catalogue_s_numbers_change_nothing() -> None:
    """Items in another order, with the histories numbered accordingly, give the same scores."""
    order = np.array([5, 3, 0, 2, 4, 1], np.int32)
    shuffled = HEADS.renumbered(order, VECTORS[order])
    straight = HEADS.renumbered(np.arange(ITEMS, dtype=np.int32), VECTORS[:ITEMS])
    values, place = np.array([1, 2, 3], np.float32), np.argsort(order)
    one = straight.logits(histories_from([[0, 3], [5], []]), values, PROFILES)
    other = shuffled.logits(histories_from([place[[0, 3]].tolist(), [int(place[5])], []]), values, PROFILES)
    assert np.allclose(one, other, atol=1e-5)


def test_evidence_has_length_one_for_each_user() -> None:
    """Squares of a user's shares sum to 1, whatever the rarity."""
    told = evidence(histories(), np.zeros(5, np.float32), positive(ITEMS + 1))
    assert np.allclose(np.bincount(told.rows, told.shares**2), 1, atol=1e-6)
    assert sorted(zip(told.rows.tolist(), told.items.tolist(), strict=True)) == [(0, 0), (0, 3), (1, 2), (1, 6)]


def test_heads_come_back_from_their_file(tmp_path: Path) -> None:
    """What was saved is loaded."""
    HEADS.save(tmp_path / "labels.npz")
    found = LabelHeads.load(tmp_path / "labels.npz", INFOS)
    assert np.array_equal(found.own, HEADS.own)
    assert np.array_equal(found.bias, HEADS.bias)


def test_a_damaged_file_is_refused(tmp_path: Path) -> None:
    """A cut file, and heads that the manifest does not name, are the artefact's fault."""
    path = tmp_path / "labels.npz"
    HEADS.save(path)
    with pytest.raises(ArtefactError, match="columns"):
        LabelHeads.load(path, INFOS[:1])
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(ArtefactError, match="no label heads"):
        LabelHeads.load(path, INFOS)
