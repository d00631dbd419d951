"""From an encoder's text vector to an item vector, as a PyTorch module.

Knows whitening and residuals; knows nothing of histories. The text path goes into the exported encoder graph, the
residuals into a table beside it, so an item that training has not seen has a vector from its text alone.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

LEAST_NORM = 1e-6
LEAST_VARIANCE = 0.01
"""Of a direction that is kept, a share of the first one's: below it, rounding to int8 is a good part of what varies."""


class ItemHead(nn.Module):
    """Whitening, a linear map, and one residual for each item of the training set.

    Parameters
    ----------
    text_dim, white_dim, dim
        Widths of the text vector, the whitened one and the item vector.
    n_items
        Rows of the residual table.
    """

    mean: Tensor
    whitening: Tensor

    def __init__(self, text_dim: int, white_dim: int, dim: int, n_items: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(text_dim))
        self.register_buffer("whitening", torch.zeros(text_dim, white_dim))
        self.project = nn.Linear(white_dim, dim)
        self.residual = nn.Parameter(torch.zeros(n_items, dim))

    def fit_whitening(self, text: npt.NDArray[np.float32]) -> None:
        """Set mean and whitening from text vectors, float32 [items, text_dim]."""
        mean, matrix = fit_whitening(text, self.whitening.shape[1])
        self.mean.copy_(torch.from_numpy(mean))
        self.whitening.copy_(torch.from_numpy(matrix))

    def whiten(self, text: Tensor) -> Tensor:
        """Whitened text vectors: [.., text_dim] -> [.., white_dim]."""
        return (text - self.mean) @ self.whitening

    def direction(self, white: Tensor) -> Tensor:
        """Whitened text vectors at unit length: what texts alone are compared by."""
        lengths: Tensor = white.norm(dim=-1, keepdim=True)
        return white / lengths.clamp(min=LEAST_NORM)

    def forward(self, white: Tensor) -> Tensor:
        """Item vectors without residual: [.., white_dim] -> [.., dim]."""
        projected: Tensor = self.project(white)
        return projected


def fit_whitening(
    text: npt.NDArray[np.float32], white_dim: int
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Principal directions of `text`, scaled so that a typical whitened vector has length 1.

    PCA whitening of item texts as in WhitenRec (Zhang et al., ICDE 2024), cut at `white_dim`, for whitening the weak
    directions amplifies quantization noise.

    Returns
    -------
    mean : float32 [text_dim]
    matrix : float32 [text_dim, white_dim]
        Columns of directions in which `text` hardly varies are zero.
    """
    mean = text.mean(axis=0, dtype=np.float64)
    covariance = np.cov((text - mean).T, bias=True) if len(text) > 1 else np.eye(text.shape[1])
    variances, directions = np.linalg.eigh(covariance)
    variances, directions = variances[::-1][:white_dim], directions[:, ::-1][:, :white_dim]
    kept = variances > LEAST_VARIANCE * max(float(variances[0]), 1e-12)
    scales = np.where(kept, 1 / np.sqrt(np.where(kept, variances, 1) * max(int(kept.sum()), 1)), 0)
    # Signs of eigenvectors are arbitrary; fixing them makes a run repeatable.
    signs = np.sign(directions[np.abs(directions).argmax(axis=0), np.arange(directions.shape[1])])
    return mean.astype(np.float32), (directions * signs * scales).astype(np.float32)
