"""The search for the int8 form of a graph that loses least, on real data.

Knows plans, calibration and what counts as loss; knows nothing of texts or users. Each layer's own error chooses its
strength of migration; of the uniform choices and the mixed one, the graph with the best cosine is kept. Results of
activation functions are cut into slices (`splitting`) in place of migration, which would cost time there.
"""

from __future__ import annotations

import tempfile
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx

from engine_export.calibrate import Feed, measure_ranges, vectors
from engine_export.graph import Floats, Graph, Linear
from engine_export.layers import LayerError, corrected, errors_on
from engine_export.plan import LinearPlan, plan_group
from engine_export.quantize import quantize_linears, quantize_tables
from engine_export.scales import ChannelRange
from engine_export.splitting import SLICES, functions, split_loud_channels
from engine_runtime.errors import ArtefactError, InputError
from engine_runtime.inference.session import open_session

PRODUCT = "MatMulIntegerToFloat"

# Slices that change vectors more than this, in mean cosine, are of a function that is no sum of its own slices.
FAITHFUL = 0.9995


@dataclass(frozen=True)
class QuantizeSettings:
    """What the search tries.

    Attributes
    ----------
    alphas
        Strengths of migration.
    least_width
        A layer with fewer inputs or outputs stays in float32: it costs nothing and may matter much.
    least_table
        A table that rows are gathered from becomes int8 when it has so many numbers.
    most_error
        A layer whose own relative error is greater stays in float32, which takes three times its time.
    most_kept
        Share of the layers that may stay so. Where more of them are off, it is not the layers: the export is left to
        fail.
    """

    alphas: tuple[float, ...] = (0.75, 0.85, 0.9)
    least_width: int = 16
    least_table: int = 1 << 20
    most_error: float = 0.1
    most_kept: float = 0.1


@dataclass(frozen=True)
class Quantized:
    """An int8 graph and how it came about.

    Attributes
    ----------
    model
        The graph.
    layers
        Its quantized layers, in the order of the graph.
    recipe
        The choices made, for people.
    """

    model: onnx.ModelProto
    layers: tuple[LayerError, ...]
    recipe: dict[str, str]


def quantize(
    model: onnx.ModelProto,
    feeds: Sequence[Feed],
    output: str,
    settings: QuantizeSettings | None = None,
    *,
    judged: Sequence[Feed] = (),
    choose: Callable[[str], bool] = lambda name: True,
) -> Quantized:
    """Quantize the linear layers and large tables of a graph.

    Parameters
    ----------
    model
        The float32 graph.
    feeds
        Calibration data: real inputs, without padding.
    output
        Output of the graph, [batch, dim], whose mean cosine to float32 decides.
    settings
        What is tried.
    judged
        Other data that each layer's error is measured on in the end; the calibration data if there is none.
    choose
        Says by a node's name whether it may be quantized.

    Raises
    ------
    InputError
        There are no feeds.
    ArtefactError
        ONNX Runtime would not run every quantized layer as an integer product.
    """
    settings = settings or QuantizeSettings()
    if not feeds:
        raise InputError("there is no calibration data. Give a data set with texts and histories.")
    expected = vectors(model, feeds, output)
    model, sliced = _sliced(model, _groups(model, settings, choose), feeds, output, expected)
    groups = _groups(model, settings, choose)
    ranges = measure_ranges(model, _widths(groups), feeds)
    plain = {name: plan_group(groups[name], ranges[name], None) for name in sliced}
    tried = {alpha: corrected(model, _plans(groups, ranges, alpha, plain), feeds) for alpha in settings.alphas}
    candidates = {f"{alpha:g}": plans for alpha, plans in tried.items()}
    candidates["by layer"] = _best_by_group(list(tried.values()))
    best: tuple[float, str, onnx.ModelProto] | None = None
    for label, plans in candidates.items():
        graph = quantize_tables(quantize_linears(model, [plan for plan, _ in plans]), settings.least_table)
        cosine = float(_cosines(expected, vectors(graph, feeds, output)).mean())
        if best is None or cosine > best[0]:
            best = (cosine, label, graph)
    if best is None:
        raise ArtefactError("no strength of migration was given to try. Give at least one.")
    cosine, label, graph = best
    chosen = errors_on(model, candidates[label], judged)
    rough = _rough(chosen, settings)
    if rough:
        chosen = [(plan, error) for plan, error in chosen if plan.linear.name not in rough]
        graph = quantize_tables(quantize_linears(model, [plan for plan, _ in chosen]), settings.least_table)
        cosine = float(_cosines(expected, vectors(graph, feeds, output)).mean())
    layers = tuple(LayerError(plan.linear.name, error, plan.alpha) for plan, error in chosen)
    check_products(graph, [layer.name for layer in layers])
    return Quantized(graph, layers, _recipe(label, cosine, len(expected), len(layers), len(sliced), rough))


def _rough(chosen: Sequence[tuple[LinearPlan, float]], settings: QuantizeSettings) -> dict[str, float]:
    """Layers that are better off in float32, and their errors."""
    found = {plan.linear.name: error for plan, error in chosen if error > settings.most_error}
    return found if len(found) <= settings.most_kept * len(chosen) else {}


def check_products(model: onnx.ModelProto, names: Sequence[str]) -> None:
    """See in the graph that really runs that every layer in `names` is an integer product.

    Raises
    ------
    ArtefactError
        Some are not; all of them are named.
    """
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "optimized.onnx"
        open_session(model.SerializeToString(), optimized=path)
        found = {node.name for node in onnx.load(str(path)).graph.node if node.op_type == PRODUCT}
    if missing := [name for name in names if name not in found]:
        raise ArtefactError(
            f"{len(missing)} of {len(names)} quantized layers would not run as {PRODUCT}: {', '.join(missing)}. "
            "This version of ONNX Runtime rewrites them; export fp32, or use another version."
        )


def _groups(
    model: onnx.ModelProto, settings: QuantizeSettings, choose: Callable[[str], bool]
) -> dict[str, list[Linear]]:
    groups: dict[str, list[Linear]] = defaultdict(list)
    for linear in Graph(model).linears():
        if choose(linear.name) and min(linear.weight.shape) >= settings.least_width:
            groups[linear.activation].append(linear)
    if not groups:
        raise ArtefactError(
            "the graph has no linear layer that can be quantized: no product with a constant matrix was found. "
            "Export fp32 alone."
        )
    return groups


def _widths(groups: Mapping[str, Sequence[Linear]]) -> dict[str, int]:
    return {name: group[0].weight.shape[0] for name, group in groups.items()}


def _sliced(
    model: onnx.ModelProto,
    groups: Mapping[str, Sequence[Linear]],
    feeds: Sequence[Feed],
    output: str,
    expected: Floats,
) -> tuple[onnx.ModelProto, list[str]]:
    """The graph with its functions' loud channels in slices, and the activations sliced; as it was if that harms."""
    found = functions(Graph(model), groups)
    widths = _widths({name: groups[name] for name in found})
    sliced = split_loud_channels(model, found, measure_ranges(model, widths, feeds))
    if found and _cosines(expected, vectors(sliced, feeds, output)).mean() >= FAITHFUL:
        return sliced, [f"{name}{SLICES}" for name in found]
    return model, []


def _plans(
    groups: Mapping[str, Sequence[Linear]],
    ranges: Mapping[str, ChannelRange],
    alpha: float,
    plain: Mapping[str, list[LinearPlan]],
) -> list[LinearPlan]:
    return [
        plan
        for name, group in groups.items()
        for plan in (plain[name] if name in plain else plan_group(group, ranges[name], alpha))
    ]


def _best_by_group(tried: Sequence[list[tuple[LinearPlan, float]]]) -> list[tuple[LinearPlan, float]]:
    """For each activation, the strength that gives the layers which read it the least error."""
    errors: dict[str, list[float]] = {}
    for number, plans in enumerate(tried):
        for plan, error in plans:
            errors.setdefault(plan.linear.activation, [0.0] * len(tried))[number] += error
    best = {name: int(np.argmin(found)) for name, found in errors.items()}
    return [tried[best[plan.linear.activation]][row] for row, (plan, _) in enumerate(tried[0])]


def _cosines(left: Floats, right: Floats) -> Floats:
    norms = np.linalg.norm(left, axis=1) * np.linalg.norm(right, axis=1)
    cosines: Floats = (left * right).sum(axis=1) / np.maximum(norms, 1e-12)
    return cosines


def _recipe(
    label: str, cosine: float, rows: int, layers: int, sliced: int, rough: Mapping[str, float]
) -> dict[str, str]:
    kept = ", ".join(f"{name} (own error {error:.1%})" for name, error in rough.items())
    return {
        "method": "static int8: u8 activations a tensor, s8 weights a column, min-max ranges",
        "rounding": "error compensated by how inputs go together",
        "migration": f"alpha {label}, each channel less its centre",
        "functions": f"loud channels of {sliced} in slices" if sliced else "as they are",
        "bias": "corrected by the mean error of each layer",
        "layers": str(layers),
        "float32": kept or "no layer: none is off by much alone",
        "calibration_rows": str(rows),
        "calibration_cosine": f"{cosine:.5f}",
    }
