"""Attributes erased from vectors."""

from __future__ import annotations

from functools import reduce
from operator import add

import numpy as np
import numpy.typing as npt
import pytest

from engine_runtime.profile.erasure import Eraser, Moments, cross_fitted

Doubles = npt.NDArray[np.float64]


def users(n: int = 3000, seed: int = 0) -> tuple[Doubles, Doubles]:
    """Vectors that tell an attribute of three values, and the attribute, one-hot."""
    generator = np.random.default_rng(seed)
    values = generator.integers(0, 3, n)
    mixing = generator.normal(size=(10, 10))
    vectors = generator.normal(size=(n, 10)) @ mixing + generator.normal(size=(3, 10))[values] * 2 + 5
    return vectors * np.array([1e-3] * 5 + [1.0] * 5), np.eye(3)[values]


def fitted(vectors: Doubles, values: Doubles, block: int = 700) -> Eraser:
    starts = range(0, len(vectors), block)
    parts = [Moments.of(vectors[start : start + block], values[start : start + block]) for start in starts]
    return reduce(add, parts).eraser()


def explained(vectors: Doubles, values: Doubles) -> float:
    """Share of the attribute's variance that least squares find in the vectors."""
    centred = vectors - vectors.mean(0)
    target = values - values.mean(0)
    left = target - centred @ np.linalg.lstsq(centred, target, rcond=1e-6)[0]
    return float(1 - (left**2).sum() / (target**2).sum())


def test_no_covariance_is_left() -> None:
    """After erasure least squares find nothing, where they found much before; three values have two directions."""
    vectors, values = users()
    eraser = fitted(vectors, values)
    erased = eraser(vectors)
    assert explained(vectors, values) > 0.4
    assert explained(erased, values) < 1e-8
    assert eraser.rank == 2
    assert np.allclose(erased.mean(0), vectors.mean(0))


def test_no_map_changes_vectors_less() -> None:
    """The plain projection along the differences of means leaves no covariance either, and changes more."""
    vectors, values = users()
    erased = fitted(vectors, values)(vectors)
    means = np.stack([vectors[values[:, value] > 0].mean(0) for value in range(3)]) - vectors.mean(0)
    basis = np.linalg.svd(means.T, full_matrices=False)[0][:, :2]
    projected = vectors - (vectors - vectors.mean(0)) @ basis @ basis.T
    assert explained(projected, values) < 1e-8
    assert ((erased - vectors) ** 2).sum() <= ((projected - vectors) ** 2).sum()


def test_it_is_the_formula() -> None:
    """The map is I - W+ P W with W the inverse root of the covariance, written out."""
    vectors, values = users(500)
    variances, axes = np.linalg.eigh(np.cov(vectors.T, bias=True))
    root, inverse = (axes * np.sqrt(variances)) @ axes.T, (axes / np.sqrt(variances)) @ axes.T
    across = (vectors - vectors.mean(0)).T @ (values - values.mean(0)) / len(vectors)
    basis = np.linalg.svd(inverse @ across, full_matrices=False)[0][:, :2]
    expected = vectors - (vectors - vectors.mean(0)) @ (root @ basis @ basis.T @ inverse).T
    found = fitted(vectors, values)(vectors)
    assert np.allclose(found, expected, atol=1e-6 * np.abs(vectors).max(0))


def test_blocks_do_not_matter() -> None:
    """Sums over blocks give the eraser of all users at once."""
    vectors, values = users()
    assert np.allclose(fitted(vectors, values, 100)(vectors), fitted(vectors, values, 5000)(vectors))


def test_dependent_numbers_are_no_trouble() -> None:
    """Numbers that sum to one, or never vary, are erased from as well, and the sum stays."""
    vectors, values = users()
    shares = np.exp(vectors[:, 5:] / 5)
    shares = np.hstack((shares / shares.sum(1, keepdims=True), np.full((len(shares), 1), 7.0)))
    erased = fitted(shares, values)(shares)
    assert explained(shares, values) > 0.1
    assert explained(erased, values) < 1e-6
    assert np.allclose(erased[:, :5].sum(1), 1)
    assert np.allclose(erased[:, 5], 7)


def test_an_attribute_that_nothing_tells_costs_nothing() -> None:
    """Where there is no covariance, vectors stay."""
    vectors = np.array([[0.0, 1.0], [0.0, -1.0], [1.0, 0.0], [-1.0, 0.0]] * 2)
    values = np.repeat(np.eye(2), 4, axis=0)
    eraser = fitted(vectors, values)
    assert eraser.rank == 0
    assert np.array_equal(eraser(vectors), vectors)


def test_one_user_is_too_few() -> None:
    """An eraser of one user would make all alike."""
    with pytest.raises(ValueError, match="two users"):
        Moments.of(np.ones((1, 2)), np.ones((1, 2))).eraser()


def test_nobody_adds_nothing() -> None:
    """A group without users changes no moment."""
    vectors, values = users(50)
    some, none = Moments.of(vectors, values), Moments.of(vectors[:0], values[:0])
    for both in (some + none, none + some):
        assert both.count == 50
        assert np.allclose(both.squares, some.squares)
        assert np.allclose(both.products, some.products)


def test_a_fold_is_mapped_by_what_the_others_tell() -> None:
    """The map of a part of the users knows nothing of them, and takes out all the same what they tell of the rest."""
    vectors, values = users()
    cuts = np.array_split(np.arange(len(vectors)), 5)
    erasers = cross_fitted([Moments.of(vectors[cut], values[cut]) for cut in cuts])
    rest = np.concatenate(cuts[1:])
    assert np.allclose(erasers[0](vectors), fitted(vectors[rest], values[rest])(vectors))
    erased = np.concatenate([eraser(vectors[cut]) for eraser, cut in zip(erasers, cuts, strict=True)])
    assert 0 < explained(erased, values) < 0.02
