"""How near vectors are to the float32 ones, and how much of a vector is owed to its batch.

Knows vectors alone. The measures are those of the export's parity report; neighbours are searched in blocks here, for a
whole catalogue is compared, and by every peer.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from engine_export.compare import NEIGHBOURS, cosines, overlap
from engine_export.parity import VectorParity

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]

BLOCK = 1024


def quality(expected: Floats, nearest_expected: Ints, found: Floats, invariance: float) -> VectorParity:
    """Compare vectors of the same distinct texts.

    Parameters
    ----------
    expected, found
        float32 [texts, dim] each.
    nearest_expected
        `nearest` of `expected`.
    invariance
        What `batch_dependence` found.
    """
    cosine = cosines(expected, found)
    return VectorParity(
        cosine_mean=float(cosine.mean()),
        cosine_p1=float(np.percentile(cosine, 1)),
        cosine_min=float(cosine.min()),
        overlap=overlap(nearest_expected, nearest(found)),
        invariance=invariance,
    )


def nearest(vectors: Floats, k: int = NEIGHBOURS) -> Ints:
    """The `k` nearest other rows of each row by cosine, in no order: int64 [rows, k], or fewer columns for few rows."""
    unit = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-30)
    k = min(k, len(unit) - 1)
    found = np.empty((len(unit), k), np.int64)
    for start in range(0, len(unit), BLOCK):
        scores = unit[start : start + BLOCK] @ unit.T
        rows = np.arange(len(scores))
        scores[rows, start + rows] = -np.inf
        found[start : start + BLOCK] = np.argpartition(-scores, k, axis=1)[:, :k]
    return found


def batch_dependence(alone: Floats, mixed: Floats, sizes: Sequence[int]) -> float:
    """Largest difference in any number between texts alone and the same texts at the front of other batches.

    Parameters
    ----------
    alone
        float32 [texts, dim].
    mixed
        All mixed batches, one after another: float32 [sum of `sizes`, dim].
    sizes
        Texts of each.
    """
    stops = np.cumsum(sizes)
    return max(
        float(np.abs(mixed[stop - size : stop - size + len(alone)] - alone).max())
        for stop, size in zip(stops, sizes, strict=True)
    )
