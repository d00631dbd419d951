"""How a linear layer is computed in int8, before any graph is changed; knows layers and ranges alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from engine_export.graph import Floats, Linear
from engine_export.rounding import compensated
from engine_export.scales import ChannelRange, activation_scale, migration, symmetric_scales


@dataclass(frozen=True)
class LinearPlan:
    """How one linear layer is computed in int8.

    Attributes
    ----------
    linear
        The layer.
    alpha
        Of the migration; None where there is none.
    shift, factors
        float32 [in]: the activation less the shift is divided by the factors.
    folded
        Whether the node before it already does both.
    scale, zero_point
        Of the activation, after shift and division.
    weight, weight_scales
        int8 [in, out] and float32 [out].
    bias
        float32 [out], with what the shift takes off; corrected or not.
    """

    linear: Linear
    alpha: float | None
    shift: Floats
    factors: Floats
    folded: bool
    scale: np.float32
    zero_point: np.uint8
    weight: npt.NDArray[np.int8]
    weight_scales: Floats
    bias: Floats


def plan_group(group: Sequence[Linear], seen: ChannelRange, alpha: float | None) -> list[LinearPlan]:
    """Plan all layers that read one activation: they share its shift, factors, scale and zero point.

    Parameters
    ----------
    group
        The layers.
    seen
        What the activation was seen to hold.
    alpha
        Strength of migration, which takes the centre of each channel off before (in the manner of Outlier
        Suppression+, arXiv 2304.09145); None takes the activation as it is.
    """
    shift, factors = np.zeros_like(seen.low), np.ones_like(seen.low)
    if alpha is not None:
        shift = seen.centre
        factors = migration(seen.absmax(shift), [linear.weight for linear in group], alpha)
    scale, zero_point = activation_scale(seen, shift, factors)
    scatter = seen.scatter / np.outer(factors, factors)
    plans = []
    for linear in group:
        migrated = linear.weight * factors[:, None]
        weight_scales = symmetric_scales(migrated, axis=0)
        weight = compensated(migrated, weight_scales, scatter)
        bias = shift.astype(np.float64) @ linear.weight + (0 if linear.bias is None else linear.bias)
        shared = (linear, alpha, shift, factors, False, scale, zero_point)
        plans.append(LinearPlan(*shared, weight, weight_scales, bias.astype(np.float32)))
    return plans
