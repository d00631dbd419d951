"""From text vectors to item vectors."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
import torch

from engine_models.head import ItemHead, fit_whitening

Floats = npt.NDArray[np.float32]


def texts(rows: int, rank: int, width: int = 12) -> Floats:
    """Vectors of unequal spread, in `rank` directions of `width`."""
    generator = np.random.default_rng(0)
    spread = generator.standard_normal((rows, rank)) * np.linspace(3, 0.6, rank)
    directions = np.linalg.qr(generator.standard_normal((width, rank)))[0].T
    return np.asarray(spread @ directions + 5, np.float32)


def covariance(text: Floats, white_dim: int) -> npt.NDArray[np.float64]:
    """Of the whitened vectors, on which the matrix was fitted."""
    mean, matrix = fit_whitening(text, white_dim)
    return np.asarray(np.cov(((text - mean) @ matrix).T, bias=True))


@pytest.mark.parametrize("white_dim", [1, 7, 12])
def test_whitened_covariance_is_the_identity_over_its_rank(white_dim: int) -> None:
    """Whitened directions are uncorrelated and equally strong, and a typical vector has length 1."""
    assert np.allclose(covariance(texts(400, 12), white_dim), np.eye(white_dim) / white_dim, atol=1e-4)


def test_directions_beyond_the_rank_are_zero() -> None:
    """Texts that vary in three directions give three equally strong ones and zeros, no amplified rounding."""
    expected = np.diag([1 / 3] * 3 + [0] * 5)
    assert np.allclose(covariance(texts(400, 3), 8), expected, atol=1e-4)
    assert not fit_whitening(texts(400, 3), 8)[1][:, 3:].any()


def test_directions_in_which_texts_hardly_vary_are_left_out() -> None:
    """What rounding to int8 would drown is not blown up to the strength of the others."""
    text = texts(400, 4)
    text[:, 0] += 0.02 * np.random.default_rng(1).standard_normal(400).astype(np.float32)
    assert np.count_nonzero(fit_whitening(text, 8)[1].any(axis=0)) == 4


def test_whitening_keeps_the_strongest_directions() -> None:
    """A cut whitening is the beginning of the whole one, but for the scale."""
    whole, cut = fit_whitening(texts(300, 12), 12)[1], fit_whitening(texts(300, 12), 4)[1]
    assert np.allclose(cut, whole[:, :4] * np.sqrt(12 / 4), rtol=1e-4, atol=1e-6)


def test_whitening_does_not_depend_on_the_order_of_the_texts() -> None:
    """The same texts in another order give the same matrix, signs included."""
    text = texts(300, 12)
    assert np.allclose(fit_whitening(text, 6)[1], fit_whitening(text[::-1], 6)[1], rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("rows", [1, 5])
def test_texts_that_are_all_alike_stay_finite(rows: int) -> None:
    """One text, or one repeated, whitens to zero."""
    text = np.repeat(texts(1, 12), rows, axis=0)
    mean, matrix = fit_whitening(text, 4)
    assert np.isfinite(matrix).all()
    assert np.allclose((text - mean) @ matrix, 0, atol=1e-4)


def test_head_whitens_then_projects() -> None:
    """The head's text path is the whitening followed by its linear map."""
    text = texts(50, 12)
    head = ItemHead(12, 6, 4, 50)
    head.fit_whitening(text)
    white = head.whiten(torch.from_numpy(text))
    mean, matrix = fit_whitening(text, 6)
    assert np.allclose(white.numpy(), (text - mean) @ matrix, atol=1e-5)
    assert torch.equal(head(white), white @ head.project.weight.T + head.project.bias)


def test_residuals_begin_at_zero() -> None:
    """An item that training has not seen has no residual."""
    assert not ItemHead(12, 6, 4, 50).residual.any()
