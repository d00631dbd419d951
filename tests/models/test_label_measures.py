"""Measures of predicted classes on cases that can be worked out."""

from __future__ import annotations

import numpy as np
import pytest

from engine_models.label_measures import accuracy, auc, calibration_error, interval


def two(sure: list[float]) -> np.ndarray:
    """Probabilities of two classes, the second one's given."""
    second = np.array(sure)
    return np.stack((1 - second, second), axis=1)


def test_auc_counts_pairs_and_ties_by_half() -> None:
    """Of four pairs two are in order, one is tied, one is the wrong way round."""
    assert auc(two([0.1, 0.6, 0.6, 0.4]), np.array([0, 0, 1, 1])) == pytest.approx(2.5 / 4)
    assert auc(two([0.5] * 4), np.array([0, 0, 1, 1])) == 0.5
    assert auc(two([0.1, 0.9]), np.array([1, 1])) == 0.5


def test_auc_of_several_classes_is_their_mean() -> None:
    """A class that nobody has is left out."""
    truth = np.array([0, 0, 1, 1])
    probabilities = np.array([[0.8, 0.1, 0.1], [0.6, 0.3, 0.1], [0.7, 0.2, 0.1], [0.1, 0.8, 0.1]])
    assert auc(probabilities, truth) == pytest.approx((3 / 4 + 3 / 4) / 2)


def test_calibration_error_of_bins() -> None:
    """Who is right as often as sure has none; who is sure of all and right in half of it has a half."""
    assert calibration_error(two([1.0] * 30), np.ones(30, np.int64)) == pytest.approx(0)
    assert calibration_error(two([1.0] * 30), np.arange(30) % 2) == pytest.approx(0.5, abs=0.04)
    assert calibration_error(two([0.75] * 4), np.array([1, 1, 1, 0]), bins=1) == pytest.approx(0)


def test_calibration_error_of_perfect_probabilities_is_small() -> None:
    """Classes drawn from the probabilities leave the noise of the bins alone."""
    generator = np.random.default_rng(0)
    sure = generator.random(20_000)
    truth = (generator.random(20_000) < sure).astype(np.int64)
    assert calibration_error(two(sure.tolist()), truth) < 0.02


def test_an_interval_holds_its_value() -> None:
    """The bootstrap of a share is about as wide as the formula for shares says."""
    generator = np.random.default_rng(0)
    truth = (generator.random(400) < 0.8).astype(np.int64)
    found = interval(accuracy, two([0.9] * 400), truth)
    assert found.low < found.value < found.high
    assert found.high - found.low == pytest.approx(2 * 1.96 * np.sqrt(0.16 / 400), rel=0.2)
