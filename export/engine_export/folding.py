"""Letting the node before a layer do the shift and division that its integers ask for, so that they cost nothing.

Knows graphs and plans; knows nothing of integers. A division that no node can take over stays with the layer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import onnx

from engine_export.graph import Graph, constant, rebuilt
from engine_export.plan import LinearPlan
from engine_export.takers import Norm, Values, takers


def fold(model: onnx.ModelProto, plans: Sequence[LinearPlan]) -> tuple[onnx.ModelProto, list[LinearPlan]]:
    """Fold every shift and division that a node can take over, and leave out minima at which integers saturate anyway.

    Where a norm's result ``x`` also goes into a sum with a layer's result ``y``, the norm gives ``u = (x - c) / s``,
    and the sum becomes ``u s + (y + c)``: one product on the way of the residual, the shift in the layer's bias.

    Returns
    -------
    model : onnx.ModelProto
    plans : list of LinearPlan
        Those that were folded are marked; biases and scales of the layers that take part are changed.
    """
    graph = Graph(model)
    found = takers(graph, [plan.linear for plan in plans])
    norms = {name: taker for name, taker in found.items() if isinstance(taker, Norm)}
    wanted = {plan.linear.activation: plan for plan in plans}
    changed: dict[str, list[onnx.NodeProto]] = {}
    tensors: list[onnx.TensorProto] = []
    for name, norm in norms.items():
        changed[name], new = _divided_norm(graph, name, wanted[name], back=norm.residual is not None)
        tensors += new
    for name, norm in norms.items():
        if norm.residual is not None:
            changed[norm.residual.add] = [_renamed(graph.producers[norm.residual.add], name, f"{name}.restored")]
    for name in (name for name, plan in wanted.items() if _saturates(graph, plan)):
        before = graph.producers[name].input[0]
        changed[before], changed[name] = [_renamed(graph.producers[before], before, name)], []
    nodes = [new for node in model.graph.node for new in changed.get(node.output[0], [node])]
    return rebuilt(model, nodes, tensors), _folded_plans(plans, wanted, found)


def _folded_plans(
    plans: Sequence[LinearPlan], wanted: Mapping[str, LinearPlan], found: Mapping[str, Norm | Values]
) -> list[LinearPlan]:
    by_output = {plan.linear.output: plan for plan in plans}
    for name, taker in found.items():
        if isinstance(taker, Values):
            by_output[taker.maker] = _divided_columns(by_output[taker.maker], taker.first, wanted[name])
        elif taker.residual is not None:
            other = by_output[taker.residual.other]
            by_output[taker.residual.other] = replace(other, bias=other.bias + wanted[name].shift)
    return [replace(by_output[plan.linear.output], folded=plan.linear.activation in found) for plan in plans]


def _divided_columns(maker: LinearPlan, first: int, plan: LinearPlan) -> LinearPlan:
    columns = slice(first, first + len(plan.factors))
    divisor, shift = np.ones_like(maker.bias), np.zeros_like(maker.bias)
    divisor[columns], shift[columns] = plan.factors, plan.shift
    return replace(maker, weight_scales=maker.weight_scales / divisor, bias=(maker.bias - shift) / divisor)


def _divided_norm(
    graph: Graph, name: str, plan: LinearPlan, *, back: bool
) -> tuple[list[onnx.NodeProto], list[onnx.TensorProto]]:
    """The norm that shifts and divides, and with `back` the product that takes the division back for the residual."""
    names = {position: f"{name}.{part}.folded" for position, part in ((1, "gain"), (2, "bias"))}
    gain, bias = (np.asarray(graph.constant(graph.producers[name].input[position])) for position in names)
    norm = _copy(graph.producers[name])
    for position, new in names.items():
        norm.input[position] = new
    tensors = [
        constant(names[1], gain / plan.factors, np.float32),
        constant(names[2], (bias - plan.shift) / plan.factors, np.float32),
    ]
    if not back:
        return [norm], tensors
    inputs, output = [name, f"{name}.back"], f"{name}.restored"
    return [norm, onnx.helper.make_node("Mul", inputs, [output], name=output)], [
        *tensors,
        constant(inputs[1], plan.factors),
    ]


def _renamed(node: onnx.NodeProto, old: str, new: str) -> onnx.NodeProto:
    """The node with the tensor `new` in place of `old`."""
    changed = _copy(node)
    for names in (changed.input, changed.output):
        for position, name in enumerate(names):
            if name == old:
                names[position] = new
    return changed


def _copy(node: onnx.NodeProto) -> onnx.NodeProto:
    copy = onnx.NodeProto()
    copy.CopyFrom(node)
    return copy


def _saturates(graph: Graph, plan: LinearPlan) -> bool:
    """Whether the activation is a minimum with a constant that is the greatest number its integers hold."""
    node = graph.producers.get(plan.linear.activation)
    if node is None or node.op_type != "Clip" or len(node.input) != 3 or node.input[1]:
        return False
    top, step = graph.constant(node.input[2]), float(plan.scale)
    if top is None or plan.shift.any() or (plan.factors != 1).any() or graph.only_consumer(node.input[0]) is None:
        return False
    return abs(float(top) - (255 - int(plan.zero_point)) * step) <= step
