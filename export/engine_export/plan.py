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
        Of the migration.
    factors
        float32 [in]: the activation is divided by them.
    folded
        Whether the node before it already divides.
    scale, zero_point
        Of the activation, after division.
    weight, weight_scales
        int8 [in, out] and float32 [out].
    bias
        float32 [out], corrected or not.
    """

    linear: Linear
    alpha: float
    factors: Floats
    folded: bool
    scale: np.float32
    zero_point: np.uint8
    weight: npt.NDArray[np.int8]
    weight_scales: Floats
    bias: Floats


def plan_group(group: Sequence[Linear], seen: ChannelRange, alpha: float) -> list[LinearPlan]:
    """Plan all layers that read one activation: they share its factors, scale and zero point."""
    factors = migration(seen.absmax, [linear.weight for linear in group], alpha)
    scale, zero_point = activation_scale(seen, factors)
    moments = seen.moments / np.outer(factors, factors)
    plans = []
    for linear in group:
        migrated = linear.weight * factors[:, None]
        weight_scales = symmetric_scales(migrated, axis=0)
        weight = compensated(migrated, weight_scales, moments)
        bias = np.zeros(len(weight_scales), np.float32) if linear.bias is None else linear.bias
        plans.append(LinearPlan(linear, alpha, factors, False, scale, zero_point, weight, weight_scales, bias))
    return plans
