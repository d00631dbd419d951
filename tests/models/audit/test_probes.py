"""Probes on planted and on empty vectors."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from engine_models.audit.probes import kernel_scores, linear_scores, standardized
from engine_models.label_measures import auc, interval

Doubles = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


def asked(vectors: Doubles, truth: Ints, kernel: bool) -> tuple[Doubles, Ints]:
    """Scores of the last third of the rows, learned from the others, and their classes."""
    cut, n_classes = len(truth) * 2 // 3, int(truth.max()) + 1
    inside, outside = standardized(vectors[:cut], vectors[cut:])
    if kernel:
        return kernel_scores(inside, truth[:cut], outside, n_classes), truth[cut:]
    return linear_scores(inside, truth[:cut], outside, n_classes, 0), truth[cut:]


@pytest.mark.parametrize("kernel", [False, True])
@pytest.mark.parametrize("n_classes", [2, 4])
def test_a_planted_class_is_found(kernel: bool, n_classes: int) -> None:
    """Vectors that hold a class give it away to either probe, whatever the scale of a column is."""
    generator = np.random.default_rng(0)
    truth = generator.integers(0, n_classes, 300)
    planted = 5.0 * np.eye(n_classes)[truth] + generator.normal(size=(300, n_classes))
    vectors = np.concatenate((planted, 1e3 * generator.normal(size=(300, 3)), np.ones((300, 1))), axis=1)
    assert auc(*asked(vectors, truth, kernel)) > 0.95


@pytest.mark.parametrize("kernel", [False, True])
def test_noise_gives_nothing_away(kernel: bool) -> None:
    """The interval of a probe on noise holds a half."""
    generator = np.random.default_rng(3)
    found = interval(auc, *asked(generator.normal(size=(300, 20)), generator.integers(0, 2, 300), kernel))
    assert found.low < 0.5 < found.high


def test_a_bend_is_seen_by_the_kernel_alone() -> None:
    """A class that hangs on two columns together, and on neither alone."""
    vectors = np.random.default_rng(2).normal(size=(600, 2))
    truth = (vectors[:, 0] * vectors[:, 1] > 0).astype(np.int64)
    assert auc(*asked(vectors, truth, kernel=False)) < 0.65
    assert auc(*asked(vectors, truth, kernel=True)) > 0.9
