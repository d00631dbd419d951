"""How good predicted classes are: accuracy, AUC, calibration, with intervals; pure NumPy."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from engine_runtime.artefacts.labels import Interval

Doubles = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

BINS = 15
RESAMPLES = 1000


def accuracy(probabilities: Doubles, truth: Ints) -> float:
    """Share of rows whose likeliest class is theirs."""
    return float((probabilities.argmax(1) == truth).mean())


def auc(probabilities: Doubles, truth: Ints) -> float:
    """Area under the ROC curve: of two classes as it is, of more the mean over the classes, each against the rest.

    Classes that no row has, or all, are left out; 0.5 where there is no other.
    """
    n_classes = probabilities.shape[1]
    columns = range(1, 2) if n_classes == 2 else range(n_classes)
    areas = [_area(probabilities[:, column], truth == column) for column in columns if 0 < (truth == column).mean() < 1]
    return float(np.mean(areas)) if areas else 0.5


def _area(scores: Doubles, positive: npt.NDArray[np.bool_]) -> float:
    """Share of pairs of a positive and a negative in the right order, equal ones by half (Mann and Whitney's U)."""
    _, place, counts = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[place]
    n = int(positive.sum())
    return float((ranks[positive].sum() - n * (n + 1) / 2) / (n * (len(scores) - n)))


def calibration_error(probabilities: Doubles, truth: Ints, bins: int = BINS) -> float:
    """Expected calibration error of the likeliest class's probability.

    The rows, in order of that probability, are cut into `bins` of equal count; the error is the mean over the rows of
    ``|share right - mean probability|`` of their bin. The measure is Guo et al.'s (On Calibration of Modern Neural
    Networks, 2017, section 2), with bins of equal count as Nguyen and O'Connor have them (Posterior calibration and
    exploratory analysis for natural language processing models, 2015). It is above 0 for perfect probabilities, too:
    of n rows a bin has a noise of about ``sqrt(p (1 - p) bins / n)``.
    """
    sure = probabilities.max(1)
    right = probabilities.argmax(1) == truth
    parts = [part for part in np.array_split(np.argsort(sure, kind="stable"), bins) if len(part)]
    return float(sum(abs(right[part].mean() - sure[part].mean()) * len(part) for part in parts) / len(truth))


def interval(measure: Callable[[Doubles, Ints], float], probabilities: Doubles, truth: Ints, seed: int = 0) -> Interval:
    """A measure, and the 2.5th and 97.5th percentile of its bootstrap over rows."""
    generator = np.random.default_rng(seed)
    drawn = [generator.integers(0, len(truth), len(truth)) for _ in range(RESAMPLES)]
    low, high = np.percentile([measure(probabilities[rows], truth[rows]) for rows in drawn], (2.5, 97.5))
    return Interval(measure(probabilities, truth), float(low), float(high))
