"""Label heads, from planted histories to a run that holds them."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from engine_models.classes import Classes
from engine_models.label_features import Users, heads_of, prepare
from engine_models.labels import add_labels, attribute_classes, fit_head, read_features
from engine_runtime.artefacts.dataset import Dataset
from engine_runtime.artefacts.run import Run
from engine_runtime.data.histories import histories_from
from engine_runtime.errors import ArtefactError, InputError, UsageError
from engine_runtime.profile.labels import LabelHeads, softmax

ITEMS = 30


def planted(n: int = 600, seed: int = 0) -> tuple[Users, Classes]:
    """Users of two classes, who take most items of one half of the catalogue or of the other."""
    generator = np.random.default_rng(seed)
    truth = generator.integers(0, 2, n)
    halves = [generator.random(8) < (0.7 if one else 0.3) for one in truth]
    items = [(generator.integers(0, ITEMS // 2, 8) + ITEMS // 2 * half).tolist() for half in halves]
    vectors = generator.normal(size=(ITEMS, 4)).astype(np.float32)
    profiles = generator.dirichlet(np.ones(5), n).astype(np.float32)
    users = Users(histories_from(items), np.zeros(8 * n, np.float32), profiles, vectors)
    return users, Classes(("a", "b"), (), truth)


def test_a_planted_signal_is_found_and_calibrated() -> None:
    """Held-out users are told apart about as well as the drawing allows (.87), with honest probabilities."""
    users, classes = planted(3000)
    _, info = fit_head(prepare(users, 0), "side", classes, 0)
    assert (info.n_fitted, info.n_held_out) == (2400, 600)
    assert info.accuracy.value > 0.82
    assert info.auc.low > 0.88
    assert info.fitted_accuracy == pytest.approx(info.accuracy.value, abs=0.05)
    assert info.calibration_error < 0.1


def test_of_noise_the_majority_is_learned() -> None:
    """Where an attribute follows from nothing, everyone is told the common class, about as surely as it is common."""
    users, classes = planted()
    truth = (np.random.default_rng(7).random(600) < 0.8).astype(np.int64)
    _, info = fit_head(prepare(users, 0), "coin", replace(classes, numbers=truth), 0)
    assert info.accuracy.value == pytest.approx(info.majority, abs=0.03)
    assert info.auc.low < 0.5 < info.auc.high
    assert info.calibration_error < 0.15


def test_held_out_users_are_not_in_the_fit() -> None:
    """Other classes and other items of the held-out users leave every weight as it was."""
    users, classes = planted()
    material = prepare(users, 0)
    weights, _ = fit_head(material, "side", classes, 0)
    numbers, items = classes.numbers.copy(), users.histories.items.reshape(600, 8).copy()
    numbers[material.outside], items[material.outside] = 1 - numbers[material.outside], 0
    other = prepare(replace(users, histories=replace(users.histories, items=items.ravel())), 0)
    again, _ = fit_head(other, "side", replace(classes, numbers=numbers), 0)
    assert np.array_equal(other.outside, material.outside)
    assert np.array_equal(other.rarity, material.rarity)
    assert np.array_equal(again, weights)


def test_serving_reads_what_was_fitted() -> None:
    """The runtime's scores are those of the features and the weights, up to the rounding to float32."""
    users, classes = planted()
    material = prepare(users, 0)
    weights, _ = fit_head(material, "side", classes, 0)
    reader = heads_of(material, weights).renumbered(np.arange(ITEMS, dtype=np.int32), users.vectors)
    served = reader.logits(users.histories, users.values, users.profiles)
    assert np.allclose(served, material.design.times(weights), atol=1e-4)
    assert np.allclose(softmax(served).sum(1), 1, atol=1e-6)


def test_users_without_the_attribute_are_left_out() -> None:
    """Missing attributes are neither fitted nor measured, and too few of them are refused."""
    users, classes = planted()
    material = prepare(users, 0)
    numbers = np.where(np.arange(600) % 3 == 0, -1, classes.numbers)
    _, info = fit_head(material, "side", replace(classes, numbers=numbers), 0)
    assert info.n_fitted + info.n_held_out == 400
    with pytest.raises(InputError, match="too few users"):
        fit_head(material, "side", replace(classes, numbers=np.full(600, -1)), 0)


def test_a_run_with_heads(trained: Run, dataset: Dataset, tmp_path: Path) -> None:
    """A copy of the run holds the heads and their measures, everything else as it was; taste is told from the ring."""
    assert trained.info.labels == ()
    assert not trained.labels.exists()
    made = add_labels(trained, dataset, ["taste", "coin"], tmp_path / "run")
    taste, coin = made.info.labels
    assert (taste.name, taste.classes, coin.name) == ("taste", ("home", "out"), "coin")
    assert taste.accuracy.value > 0.9
    assert coin.accuracy.value < 0.75
    assert made.weights.read_bytes() == trained.weights.read_bytes()
    assert made.manifest.parents == trained.manifest.parents
    assert replace(made.info, labels=()) == trained.info
    users = read_features(made, dataset)
    rows = np.arange(len(users.vectors), dtype=np.int32)
    reader = LabelHeads.load(made.labels, made.info.labels).renumbered(rows, users.vectors)
    told, _ = reader.predict(made.info.labels, users.histories, users.values, users.profiles)
    truth = attribute_classes(dataset, ["taste"])["taste"].numbers
    assert truth[0] == -1
    assert (told.probabilities.argmax(1) == truth)[1:].mean() > 0.9


def test_heads_take_the_place_of_earlier_ones(trained: Run, dataset: Dataset, tmp_path: Path) -> None:
    """A run may be taught in its own place, and what it was taught before is gone."""
    run = Run.open(shutil.copytree(trained.root, tmp_path / "run"))
    add_labels(run, dataset, ["coin"], run.root, replace=True)
    made = add_labels(Run.open(run.root), dataset, ["taste"], run.root, replace=True)
    assert [info.name for info in made.info.labels] == ["taste"]


def test_what_cannot_be_learned_is_refused(trained: Run, dataset: Dataset, tmp_path: Path) -> None:
    """An unknown attribute, a taken place and a foreign data set are named before the work begins."""
    with pytest.raises(UsageError, match="no attribute shoe of users; it has: taste, coin"):
        add_labels(trained, dataset, ["shoe"], tmp_path / "run")
    with pytest.raises(UsageError, match="exists already"):
        add_labels(trained, dataset, ["taste"], trained.root)
    foreign = replace(dataset, manifest=replace(dataset.manifest, parents={"dataset": "0" * 64}))
    with pytest.raises(ArtefactError, match="made from the dataset"):
        add_labels(trained, foreign, ["taste"], tmp_path / "run")
