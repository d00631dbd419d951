"""Rounding a matrix to integers so that its products change least, not its numbers.

Pure NumPy; knows nothing of graphs. A weight that was rounded up lets the ones after it make up for that, as far as the
inputs that they meet go together.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from engine_export.scales import Floats

DAMPING = 0.01
BLOCK = 128


def compensated(weight: Floats, scales: Floats, moments: npt.NDArray[np.floating]) -> npt.NDArray[np.int8]:
    """Integers of a matrix by error compensation.

    Row after row, in falling order of their inputs' power, the matrix is rounded and the error is spread over the rows
    still to come by the inverse of the inputs' second moments: GPTQ (arXiv 2210.17323) with its order by activation.

    Parameters
    ----------
    weight
        float32 [in, out].
    scales
        Step of each column, float32 [out].
    moments
        Sum of ``x x'`` over the inputs seen, [in, in]; on a diagonal one the result is the nearest integers.

    Returns
    -------
    int8 [in, out]
        From -127 to 127.
    """
    power = np.diag(moments)
    order = np.argsort(-power, kind="stable")
    spread = _upper_factor(moments[np.ix_(order, order)])
    left = weight[order].astype(np.float64)
    integers = np.empty(left.shape, np.int8)
    for start in range(0, len(left), BLOCK):
        stop = min(start + BLOCK, len(left))
        errors = np.empty((stop - start, left.shape[1]))
        for row in range(start, stop):
            rounded = np.clip(np.rint(left[row] / scales), -127, 127)
            integers[order[row]] = rounded
            errors[row - start] = (left[row] - rounded * scales) / spread[row, row]
            left[row + 1 : stop] -= np.outer(spread[row, row + 1 : stop], errors[row - start])
        left[stop:] -= spread[start:stop, stop:].T @ errors  # later blocks at once: one product in place of many
    return integers


def _upper_factor(moments: npt.NDArray[np.floating]) -> npt.NDArray[np.float64]:
    """Upper Cholesky factor of the inverse; damped, and with silent inputs given some power, so that there is one."""
    damped = moments.astype(np.float64)
    power = np.diag(damped).copy()
    mean = float(power.mean()) or 1.0
    np.fill_diagonal(damped, np.where(power > 0, power, mean) + DAMPING * mean)
    return np.asarray(np.linalg.cholesky(np.linalg.inv(damped)).T)
