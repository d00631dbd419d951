"""Two small classifiers that learn a class from vectors: one linear, one with a bend. NumPy and SciPy alone.

Both choose how strong they are without a look at the rows that they are judged on. Knows matrices; knows nothing of
users, columns or attributes.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from engine_models.logistic import Design, choose, fit

Doubles = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

WIDTHS = (0.25, 1.0, 4.0)
"""Widths of the kernel: factors on the median squared distance of two rows."""

RIDGES = tuple(10.0**power for power in range(-3, 4))


def standardized(inside: Doubles, outside: Doubles) -> tuple[Doubles, Doubles]:
    """Columns of mean 0 and equal spread over the rows `inside`, of mean squared length 1; others likewise.

    Parameters
    ----------
    inside, outside
        float64 [n, d], [m, d].
    """
    mean, spread = inside.mean(0), inside.std(0)
    scale = np.divide(1.0, spread, out=np.zeros_like(spread), where=spread > 1e-9)
    scale /= max(int(np.count_nonzero(scale)), 1) ** 0.5
    return (inside - mean) * scale, (outside - mean) * scale


def linear_scores(inside: Doubles, truth: Ints, outside: Doubles, n_classes: int, seed: int) -> Doubles:
    """Logistic regression with an L2 penalty that three folds among the rows inside have chosen.

    Parameters
    ----------
    inside, outside
        float64 [n, d], [m, d], standardized.
    truth
        int64 [n]: class of each row inside.
    n_classes
        K.
    seed
        Of the folds.

    Returns
    -------
    float64 [m, K]
        Logits.
    """
    design = Design([inside])
    penalty = choose(design, truth, n_classes, seed).penalty
    return Design([outside]).times(fit(design, truth, n_classes, penalty))


def kernel_scores(inside: Doubles, truth: Ints, outside: Doubles, n_classes: int) -> Doubles:
    """Kernel ridge regression of one class against the rest, with a Gaussian kernel.

    Width and ridge are those of the least squared error on rows left out one at a time, which the decomposition of the
    kernel gives in closed form (Rifkin and Lippert, Notes on regularized least squares, 2007).

    Parameters are those of `linear_scores`. Returns float64 [m, K].
    """
    targets = np.eye(n_classes)[truth]
    mean = targets.mean(0)
    distances = _distances(inside, inside)
    unit = max(float(np.median(distances)), 1e-12)
    best, least = np.zeros((len(outside), n_classes)), np.inf
    for width in WIDTHS:
        values, basis = np.linalg.eigh(np.exp(-distances / (width * unit)))
        values, turned = np.maximum(values, 0.0), basis.T @ (targets - mean)
        weights, error = _least(values, basis, turned)
        if error < least:
            best, least = np.exp(-_distances(outside, inside) / (width * unit)) @ weights, error
    return np.asarray(best + mean)


def _least(values: Doubles, basis: Doubles, turned: Doubles) -> tuple[Doubles, float]:
    """Weights of the ridge of least error on rows left out, and that error; of a kernel ``basis values basis'``."""
    found: tuple[Doubles, float] = (np.zeros_like(turned), np.inf)
    for ridge in RIDGES:
        inverse = 1 / (values + ridge)
        weights = basis @ (inverse[:, None] * turned)
        own = (basis**2) @ inverse  # diagonal of the inverse
        error = float(((weights / own[:, None]) ** 2).mean())
        if error < found[1]:
            found = (weights, error)
    return found


def _distances(rows: Doubles, others: Doubles) -> Doubles:
    """Squared distances: float64 [rows, others]."""
    squares = (rows**2).sum(1)[:, None] + (others**2).sum(1)
    return np.asarray(np.maximum(squares - 2 * rows @ others.T, 0.0))
