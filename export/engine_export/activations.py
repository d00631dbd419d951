"""GELU in the form of SiLU, which ONNX Runtime's CPU computes in a third of the time.

Knows graphs and feeds; knows nothing of integers. Between two linear layers, each unit's GELU becomes

    gelu(x) ~ c silu(a x + b) + d,        silu(t) = t sigmoid(t),

with a, b, c and d of its own, fitted to the values that the unit was seen to take. They cost nothing at run time: a and
b go into the layer before, c and d into the layer after. ``QuickGelu`` with its factor at 1 is SiLU (com.microsoft).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import onnx
import torch
from torch.nn.functional import gelu, silu

from engine_export.calibrate import Feed, run_graph
from engine_export.graph import CONTRIB, Floats, Graph, Linear, floats, rebuilt, with_linears, without_dead
from engine_models.corpus import evenly

ROWS = 4096
"""Rows of calibration that a fit looks at."""

OTHERS = 0.003
OTHERS_SPREAD = 2.0
"""For each value seen, so many normal ones as wide as this: texts of other kinds take a unit elsewhere."""

STEPS = 60
LEARNING_RATE = 0.03
START = 1.702
"""The factor of the sigmoid that is nearest to GELU for all numbers alike (arXiv 1606.08415, section 2)."""


@dataclass(frozen=True)
class Activation:
    """A GELU between two linear layers.

    Attributes
    ----------
    before, after
        The layers; nothing else reads what is between them.
    result
        Tensor that holds the GELU's result.
    """

    before: Linear
    after: Linear
    result: str


@dataclass(frozen=True)
class Fit:
    """``gelu(x) ~ c silu(a x + b) + d`` for each unit: float32 [units] each."""

    a: Floats
    b: Floats
    c: Floats
    d: Floats


def find_gelus(model: onnx.ModelProto) -> list[Activation]:
    """Every GELU that one linear layer feeds and one other reads, in the order of the graph."""
    graph = Graph(model)
    linears = graph.linears()
    makers = {linear.output: linear for linear in linears}
    readers = {linear.activation: linear for linear in linears}
    found = []
    for erf in (node for node in model.graph.node if node.op_type == "Erf"):
        ends = gelu_around(graph, erf)
        if ends is None or ends[0] not in makers or ends[1] not in readers:
            continue
        inside = {node.output[0] for node in graph.consumers[ends[0]]}
        if len(inside) == 2 and graph.only_consumer(ends[1]) is not None and makers[ends[0]].bias is not None:
            found.append(Activation(makers[ends[0]], readers[ends[1]], ends[1]))
    return found


def gelu_around(graph: Graph, erf: onnx.NodeProto) -> tuple[str, str] | None:
    """The tensors that go into and come out of the GELU around `erf`; None where it is another function."""
    scaled, shifted = graph.producers.get(erf.input[0]), graph.only_consumer(erf.output[0])
    if scaled is None or scaled.op_type not in {"Div", "Mul"} or shifted is None or shifted.op_type != "Add":
        return None
    root = math.sqrt(2) if scaled.op_type == "Div" else math.sqrt(0.5)
    weighted = graph.only_consumer(shifted.output[0])
    halved = None if weighted is None else graph.only_consumer(weighted.output[0])
    if weighted is None or halved is None or {weighted.op_type, halved.op_type} != {"Mul"}:
        return None
    right = (
        _is(graph, scaled.input[1], root)
        and any(_is(graph, name, 1.0) for name in shifted.input)
        and any(_is(graph, name, 0.5) for name in halved.input)
        and scaled.input[0] in weighted.input
    )
    return (scaled.input[0], halved.output[0]) if right else None


def _is(graph: Graph, name: str, number: float) -> bool:
    value = graph.constant(name)
    return value is not None and value.size == 1 and math.isclose(float(value), number, rel_tol=1e-5)


def with_silu(model: onnx.ModelProto, feeds: Sequence[Feed]) -> tuple[onnx.ModelProto, int]:
    """Put a fitted SiLU in the place of every GELU between two linear layers.

    Parameters
    ----------
    model
        Float32.
    feeds
        Real inputs.

    Returns
    -------
    model : onnx.ModelProto
    fitted : int
        How many were put in.
    """
    found = find_gelus(model)
    samples = _samples(model, [activation.before.output for activation in found], feeds)
    layers: dict[str, Linear] = {}
    made: dict[str, onnx.NodeProto] = {}
    for activation, seen in zip(found, samples, strict=True):
        before, after = activation.before, activation.after
        fit = fitted(seen)
        layers[before.replaces[0]] = replace(before, weight=before.weight * fit.a, bias=before.shift * fit.a + fit.b)
        bias = (after.shift + fit.d @ after.weight).astype(np.float32)
        layers[after.replaces[0]] = replace(after, weight=after.weight * fit.c[:, None], bias=bias)
        made[activation.result] = onnx.helper.make_node(
            "QuickGelu", [before.output], [activation.result], name=activation.result, domain=CONTRIB, alpha=1.0
        )
    nodes = [made.get(node.output[0], node) for node in model.graph.node]
    return with_linears(without_dead(rebuilt(model, nodes)), layers.values(), "silu"), len(found)


def fitted(seen: Floats) -> Fit:
    """Fit each unit to the values that it was seen to take.

    a and b by gradient descent on the squared error, c and d exactly for each a and b.

    Parameters
    ----------
    seen
        float32 [rows, units].
    """
    others = np.random.default_rng(0).normal(0, OTHERS_SPREAD, (int(len(seen) * OTHERS), seen.shape[1]))
    values = torch.from_numpy(np.concatenate([seen, others.astype(np.float32)]))
    wanted = gelu(values)
    a = torch.full((seen.shape[1],), START, requires_grad=True)
    b = torch.zeros(seen.shape[1], requires_grad=True)
    optimizer = torch.optim.Adam([a, b], lr=LEARNING_RATE)
    schedule = torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.0, STEPS)
    for _ in range(STEPS):
        given = silu(a * values + b)
        c, d = _line(given, wanted)
        optimizer.zero_grad()
        loss = (c * given + d - wanted).square().mean(0).sum()
        loss.backward()  # type: ignore[no-untyped-call]  # PyTorch leaves it without annotations
        optimizer.step()
        schedule.step()
    with torch.no_grad():
        c, d = _line(silu(a * values + b), wanted)
    return Fit(*(value.detach().numpy() for value in (a, b, c, d)))


def _line(given: torch.Tensor, wanted: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Slope and offset of the line through each unit's points: [units] each."""
    middle, height = given.mean(0), wanted.mean(0)
    spread_out = (given - middle).square().mean(0) + 1e-9
    slope = ((given - middle) * (wanted - height)).mean(0) / spread_out
    return slope, height - slope * middle


def _samples(model: onnx.ModelProto, names: Sequence[str], feeds: Sequence[Feed]) -> list[Floats]:
    """At most `ROWS` rows of each tensor, evenly over all feeds."""
    if not names:
        return []
    watched = rebuilt(model, model.graph.node, outputs=[floats(name, "a", "b", "c") for name in names])
    sizes = [min(value.size for value in feed.values()) for feed in feeds]  # a row for each position
    chosen, start = evenly(sum(sizes), ROWS), 0
    kept: list[list[Floats]] = [[] for _ in names]
    for found, size in zip(run_graph(watched, feeds, names), sizes, strict=True):
        rows = chosen[(chosen >= start) & (chosen < start + size)] - start
        start += size
        for values, part in zip(found, kept, strict=True):
            part.append(values.reshape(size, -1)[rows])
    return [np.concatenate(part) for part in kept]
