"""Multinomial logistic regression with an L2 penalty, its strength and its temperature from cross-validation.

Pure NumPy and SciPy; knows nothing of users or attributes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize, minimize_scalar
from scipy.special import log_softmax

Doubles = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

PENALTIES = tuple(10.0 ** (-half / 2) for half in range(-2, 13))
"""From strong to weak; the search ends where a weaker one is worse."""

FOLDS = 3
LARGEST_LOG_TEMPERATURE = 3.0
OPTIONS = {"maxiter": 200, "ftol": 1e-7, "gtol": 1e-6}


@dataclass(frozen=True)
class Design:
    """A matrix of features in blocks side by side, each dense or a SciPy CSR matrix, float64 [n, width]."""

    blocks: Sequence[Any]

    @property
    def stops(self) -> list[int]:
        """Column where each block ends."""
        return [int(stop) for stop in np.cumsum([block.shape[1] for block in self.blocks])]

    def rows(self, chosen: npt.NDArray[Any]) -> Design:
        """Some rows, by number or mask."""
        return Design([block[chosen] for block in self.blocks])

    def times(self, weights: Doubles) -> Doubles:
        """``[X, 1] W``: float64 [n, K]; the last row of `weights` is the intercept."""
        parts = np.split(weights[:-1], self.stops[:-1])
        products = [block @ part for block, part in zip(self.blocks, parts, strict=True)]
        return np.asarray(sum(products, start=weights[-1]))

    def transposed_times(self, residuals: Doubles) -> Doubles:
        """``[X, 1]' R``: float64 [width + 1, K]."""
        return np.concatenate([*(block.T @ residuals for block in self.blocks), residuals.sum(0, keepdims=True)])


@dataclass(frozen=True)
class Choice:
    """What cross-validation has found.

    Attributes
    ----------
    penalty
        With the least loss on rows left out.
    logits
        float64 [n, K]: of each row, from the folds without it.
    """

    penalty: float
    logits: Doubles


def loss(logits: Doubles, truth: Ints) -> float:
    """Mean negative log-likelihood."""
    return float(-log_softmax(logits, 1)[np.arange(len(truth)), truth].mean())


def fit(design: Design, truth: Ints, n_classes: int, penalty: float, start: Doubles | None = None) -> Doubles:
    """Weights of least ``loss + penalty / 2 |W|^2``, the intercept not penalised: float64 [width + 1, K].

    Parameters
    ----------
    design
        n rows.
    truth
        int64 [n]: class of each.
    n_classes
        K.
    penalty
        Positive.
    start
        Weights to begin from; zeros if None.
    """
    shape = (design.stops[-1] + 1, n_classes)
    rows = np.arange(len(truth))

    def objective(flat: Doubles) -> tuple[float, Doubles]:
        weights = flat.reshape(shape)
        logs = log_softmax(design.times(weights), 1)
        residuals = np.exp(logs)
        residuals[rows, truth] -= 1
        gradient = design.transposed_times(residuals) / len(truth)
        gradient[:-1] += penalty * weights[:-1]
        value = -logs[rows, truth].mean() + penalty / 2 * (weights[:-1] ** 2).sum()
        return float(value), gradient.ravel()

    begin = np.zeros(shape) if start is None else start
    found = minimize(objective, begin.ravel(), jac=True, method="L-BFGS-B", options=OPTIONS)
    return np.asarray(found.x, np.float64).reshape(shape)


def choose(design: Design, truth: Ints, n_classes: int, seed: int) -> Choice:
    """The penalty of least loss on rows left out, by `FOLDS` folds drawn from `seed`."""
    fold = np.random.default_rng(seed).permutation(len(truth)) % FOLDS
    fitted = [(design.rows(fold != left), truth[fold != left], design.rows(fold == left)) for left in range(FOLDS)]
    starts: list[Doubles | None] = [None] * FOLDS
    best, least = Choice(PENALTIES[0], np.zeros((len(truth), n_classes))), np.inf
    for penalty in PENALTIES:
        logits = np.zeros((len(truth), n_classes))
        for left, (inside, known, outside) in enumerate(fitted):
            weights = starts[left] = fit(inside, known, n_classes, penalty, starts[left])
            logits[fold == left] = outside.times(weights)
        reached = loss(logits, truth)
        if reached >= least:
            break
        best, least = Choice(penalty, logits), reached
    return best


def temperature(logits: Doubles, truth: Ints) -> float:
    """T of least ``loss(logits / T)``; Guo et al., On Calibration of Modern Neural Networks (2017), section 4.2."""
    bounds = (-LARGEST_LOG_TEMPERATURE, LARGEST_LOG_TEMPERATURE)
    found = minimize_scalar(lambda log: loss(logits / np.exp(log), truth), bounds=bounds, method="bounded")
    return float(np.exp(found.x))
