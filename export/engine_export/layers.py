"""Each quantized layer's own error: its int8 form beside the float32 one, on the same exact inputs.

Knows plans and feeds; knows nothing of which plan is best.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import onnx

from engine_export.calibrate import Feed, run_graph
from engine_export.plan import LinearPlan
from engine_export.quantize import with_shadows


@dataclass(frozen=True)
class LayerError:
    """One quantized layer.

    Attributes
    ----------
    name
        Of its node in the graph.
    error
        Root of squared error over squared result, on exact inputs.
    alpha
        Strength of migration; None where there is none.
    """

    name: str
    error: float
    alpha: float | None


def corrected(
    model: onnx.ModelProto, plans: Sequence[LinearPlan], feeds: Sequence[Feed]
) -> list[tuple[LinearPlan, float]]:
    """Each plan with its bias corrected by the mean error, and the relative error that is left."""
    measured = []
    for plan, (mean, variance, power) in zip(plans, _sums(model, plans, feeds), strict=True):
        better = replace(plan, bias=(plan.bias + mean).astype(np.float32))
        measured.append((better, _relative(variance, power)))
    return measured


def errors_on(
    model: onnx.ModelProto, chosen: list[tuple[LinearPlan, float]], feeds: Sequence[Feed]
) -> list[tuple[LinearPlan, float]]:
    """Each plan with its relative error on other data, its bias as it is; as they were where there is none."""
    if not feeds:
        return chosen
    plans = [plan for plan, _ in chosen]
    sums = _sums(model, plans, feeds)
    return [
        (plan, _relative(variance + float((mean**2).sum()), power))
        for plan, (mean, variance, power) in zip(plans, sums, strict=True)
    ]


def _sums(
    model: onnx.ModelProto, plans: Sequence[LinearPlan], feeds: Sequence[Feed]
) -> list[tuple[npt.NDArray[np.float64], float, float]]:
    """For each plan, a row's mean error by column, the squared error about that mean, and the squared result."""
    shadowed = with_shadows(model, plans)
    names = [output.name for output in shadowed.graph.output]
    totals = [np.zeros(())] * len(names)
    for found in run_graph(shadowed, feeds, names):
        totals = [total + np.asarray(value, np.float64) for total, value in zip(totals, found, strict=True)]
    sums = []
    for plan, summed, squares, power, size in zip(plans, *(totals[k::4] for k in range(4)), strict=True):
        rows = float(size) / len(plan.bias)
        mean = summed / rows
        sums.append((mean, max(float(squares) / rows - float((mean**2).sum()), 0.0), float(power) / rows))
    return sums


def _relative(squares: float, power: float) -> float:
    return float(np.sqrt(squares / max(power, 1e-30)))
