"""Letting the node before a layer do the shift and division that its integers ask for, so that they cost nothing.

Knows graphs and plans; knows nothing of integers. A division that no node can take over stays with the layer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import onnx

from engine_export.graph import Graph, Linear, constant, rebuilt
from engine_export.plan import LinearPlan


@dataclass(frozen=True)
class Residual:
    """A sum that reads a norm's result beside planned layers.

    Attributes
    ----------
    add
        First output of the sum.
    other
        Output of the planned layer that is added to the norm's result, and feeds nothing else.
    """

    add: str
    other: str


@dataclass(frozen=True)
class Norm:
    """The norm that makes an activation; it shifts and divides in its own scale and bias.

    Attributes
    ----------
    residual
        What else reads the result, if anything does.
    """

    residual: Residual | None


@dataclass(frozen=True)
class Values:
    """The layer that makes attention's values; it shifts and divides its columns.

    Attention mixes positions and leaves channels apart, and its weights sum to 1: channel j of the mixed heads is a
    weighted mean of channel j of the values, so what is taken off the one and divides it does the same to the other.

    Attributes
    ----------
    maker
        Output of the layer.
    first
        Its first column that holds values.
    """

    maker: str
    first: int


def takers(graph: Graph, linears: Sequence[Linear]) -> dict[str, Norm | Values]:
    """For each activation of the planned layers `linears`, the node that can shift and divide for them, if there is."""
    readers: dict[str, set[str]] = {}
    for linear in linears:
        readers.setdefault(linear.activation, set()).add(linear.replaces[0])
    makers = {linear.output: linear for linear in linears}
    found = ((name, _taker(graph, name, makers, names)) for name, names in readers.items())
    return {name: taker for name, taker in found if taker is not None}


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
    top, greatest = graph.constant(node.input[2]), (255 - int(plan.zero_point)) * float(plan.scale)
    plain = not plan.shift.any() and bool((plan.factors == 1).all())
    return (
        plain
        and top is not None
        and abs(float(top) - greatest) <= plan.scale
        and graph.only_consumer(node.input[0]) is node
    )


def _taker(graph: Graph, name: str, makers: dict[str, Linear], readers: set[str]) -> Norm | Values | None:
    producer = graph.producers.get(name)
    others = [node for node in graph.consumers[name] if node.op_type != "Shape" and node.output[0] not in readers]
    if producer is None or name in graph.outputs:
        return None
    if producer.op_type != "LayerNormalization":
        return None if others else _values_behind(graph, name, makers)
    weights = [graph.constant(each) for each in producer.input[1:]]
    if len(weights) != 2 or any(weight is None or weight.ndim != 1 for weight in weights):
        return None
    residual = _residual(graph, name, others, makers)
    return Norm(residual) if residual is not None or not others else None


def _residual(graph: Graph, name: str, others: Sequence[onnx.NodeProto], makers: dict[str, Linear]) -> Residual | None:
    if len(others) != 1 or others[0].op_type != "Add":
        return None
    other = next((each for each in others[0].input if each != name), None)
    if other not in makers or graph.only_consumer(other) is None:
        return None
    return Residual(others[0].output[0], other)


def _values_behind(graph: Graph, name: str, makers: dict[str, Linear]) -> Values | None:
    """The layer's output, and the first column in it, whose channels the mixed heads in `name` hold; None if unsure.

    The way back is Reshape, Transpose, the product with the attention weights, Transpose, Reshape, and a Split.
    """
    for operation in ("Reshape", "Transpose"):
        node = graph.producers.get(name)
        if node is None or node.op_type != operation or not _swaps_heads(node):
            return None
        name = node.input[0]
    product = graph.producers.get(name)
    if product is None or product.op_type != "MatMul":
        return None
    weights = graph.producers.get(product.input[0])
    name = product.input[1]
    for operation in ("Transpose", "Reshape"):
        node = graph.producers.get(name)
        if node is None or node.op_type != operation or not _swaps_heads(node) or not graph.only_consumer(name):
            return None
        name = node.input[0]
    split = graph.producers.get(name)
    if weights is None or weights.op_type != "Softmax" or split is None or split.op_type != "Split":
        return None
    sizes = graph.constant(split.input[1])
    if sizes is None or not graph.only_consumer(name) or not graph.only_consumer(split.input[0]):
        return None
    if split.input[0] not in makers:
        return None
    return Values(split.input[0], int(sizes[: list(split.output).index(name)].sum()))


def _swaps_heads(node: onnx.NodeProto) -> bool:
    if node.op_type != "Transpose":
        return True
    return list(onnx.helper.get_node_attr_value(node, "perm")) == [0, 2, 1, 3]
