"""Logistic regression on planted signals."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import csr_matrix
from scipy.special import softmax

from engine_models.logistic import PENALTIES, Design, choose, fit, loss, temperature


def planted(n: int, strength: float, seed: int = 0) -> tuple[Design, np.ndarray, np.ndarray]:
    """Features in a sparse and a dense block, classes drawn from a linear model of them, and its logits."""
    generator = np.random.default_rng(seed)
    features = generator.normal(size=(n, 6))
    logits = features @ generator.normal(size=(6, 3)) * strength
    truth = (softmax(logits, 1).cumsum(1) > generator.random((n, 1))).argmax(1)
    return Design([csr_matrix(features[:, :4]), features[:, 4:]]), truth, logits


def test_a_planted_signal_is_found() -> None:
    """With little penalty the probabilities are about those that the classes were drawn from."""
    design, truth, logits = planted(3000, 1.0)
    found = softmax(design.times(fit(design, truth, 3, 1e-4)), 1)
    assert np.abs(found - softmax(logits, 1)).mean() < 0.03


def test_the_gradient_vanishes_at_the_end() -> None:
    """The fit is where the penalised loss is flat, the intercept free of the penalty."""
    design, truth, _ = planted(300, 1.0)
    weights = fit(design, truth, 3, 0.1)
    residuals = softmax(design.times(weights), 1) - np.eye(3)[truth]
    gradient = design.transposed_times(residuals) / 300
    gradient[:-1] += 0.1 * weights[:-1]
    assert np.abs(gradient).max() < 1e-3


def test_noise_asks_for_the_strongest_penalty() -> None:
    """Where nothing is to be learned, the choice is a strong penalty, and the classes' shares are what is left."""
    generator = np.random.default_rng(1)
    design, truth = Design([generator.normal(size=(300, 40))]), (generator.random(300) < 0.3).astype(np.int64)
    choice = choose(design, truth, 2, seed=0)
    assert choice.penalty == PENALTIES[0]
    assert loss(choice.logits, truth) == pytest.approx(loss(np.log([[0.7, 0.3]] * 300), truth), abs=0.1)


def test_a_signal_asks_for_a_weaker_penalty() -> None:
    """The logits of rows left out tell the classes apart."""
    design, truth, _ = planted(600, 3.0)
    choice = choose(design, truth, 3, seed=0)
    assert choice.penalty < PENALTIES[0]
    assert (choice.logits.argmax(1) == truth).mean() > 0.75


def test_temperature_undoes_a_scale() -> None:
    """Logits made three times too sharp are found to be so."""
    _, truth, logits = planted(5000, 1.0)
    assert temperature(3 * logits, truth) == pytest.approx(3, rel=0.1)


def test_rows_of_a_design() -> None:
    """Chosen rows have the same products, by number and by mask."""
    design, truth, _ = planted(30, 1.0)
    weights = fit(design, truth, 3, 0.1)
    assert np.allclose(design.rows(np.array([4, 2])).times(weights), design.times(weights)[[4, 2]])
    assert np.allclose(design.rows(truth == 1).times(weights), design.times(weights)[truth == 1])
