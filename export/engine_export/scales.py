"""The arithmetic of int8: ranges to scales, weights to integers, migration of outliers.

Pure NumPy; knows nothing of graphs. Activations are u8 with one scale and zero point a tensor, weights s8 with one
scale a column, both fixed at export, so that a vector never depends on what else is in its batch.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]

SMALLEST = 1e-5


@dataclass(frozen=True)
class ChannelRange:
    """What an activation was seen to hold.

    Attributes
    ----------
    low, high
        float32 [channels]: least and greatest value of each channel.
    scatter
        float32 [channels, channels]: sum of ``(x - mean) (x - mean)'`` over its rows.
    """

    low: Floats
    high: Floats
    scatter: Floats

    @property
    def centre(self) -> Floats:
        """Middle of each channel's range: float32 [channels]."""
        return np.asarray((self.low + self.high) / 2, np.float32)

    def absmax(self, shift: Floats) -> Floats:
        """Greatest distance of each channel from `shift`: float32 [channels]."""
        return np.asarray(np.maximum(np.abs(self.low - shift), np.abs(self.high - shift)), np.float32)


def migration(activation: Floats, weights: Sequence[Floats], alpha: float) -> Floats:
    """Factors that move outliers of an activation into the weights that read it.

    ``s_j = max|x_j|^alpha / max|w_j|^(1 - alpha)`` as in SmoothQuant (arXiv 2211.10438, equation 4), scaled to a
    geometric mean of 1: the activation is divided by s, the rows of the weights are multiplied by it.

    Parameters
    ----------
    activation
        Greatest absolute value of each channel, float32 [in].
    weights
        Every matrix that reads the activation, float32 [in, out].
    alpha
        0 leaves all of the difficulty with the activation, 1 moves all of it to the weights.

    Returns
    -------
    float32 [in]
        Positive; 1 for a channel that was never other than zero.
    """
    rows = np.max([np.abs(weight).max(axis=1) for weight in weights], axis=0)
    alive = (activation > SMALLEST) & (rows > SMALLEST)
    log = alpha * np.log(np.where(alive, activation, 1)) - (1 - alpha) * np.log(np.where(alive, rows, 1))
    if alive.any():
        log -= log[alive].mean()
    return np.where(alive, np.exp(log), 1).astype(np.float32)


def activation_scale(seen: ChannelRange, shift: Floats, factors: Floats) -> tuple[np.float32, np.uint8]:
    """Scale and zero point of an activation less `shift` and divided by `factors`; zero is always exact.

    The whole range counts: cutting the outermost values off ruins trained encoders, whose outliers carry meaning.
    """
    low = min(0.0, float(((seen.low - shift) / factors).min()))
    high = max(0.0, float(((seen.high - shift) / factors).max()))
    scale = max(high - low, SMALLEST) / 255
    return np.float32(scale), np.uint8(np.clip(np.rint(-low / scale), 0, 255))


def symmetric_scales(values: Floats, axis: int) -> Floats:
    """Steps that map the greatest absolute value along `axis` to 127; 1 where all are zero."""
    greatest = np.abs(values).max(axis=axis)
    return np.where(greatest > 0, greatest / 127, 1).astype(np.float32)


def quantize_rows(table: Floats) -> tuple[npt.NDArray[np.int8], Floats]:
    """Integers int8 [rows, dim] and scales float32 [rows] of a table, symmetric in each row."""
    scales = symmetric_scales(table, axis=1)
    return np.clip(np.rint(table / scales[:, None]), -127, 127).astype(np.int8), scales
