"""Finding the node that can shift and divide an activation for nothing.

Knows graphs and linear layers; knows nothing of plans or integers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import onnx

from engine_export.graph import Graph, Linear

HEADS = ([0, 2, 1, 3], [1, 0, 2])
"""Transpositions that move heads and leave the channels of each where they are."""


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
    """The layer's output, and the first column in it, whose channels the mixed heads in `name` hold; None if unsure."""
    product = _mixing(graph, _before_views(graph, name))
    if product is None or {_setting(product, "transA"), _setting(product, "transB")} != {0}:
        return None
    values = _before_views(graph, product.input[1])
    if not _read_once(graph, product.input[1]) or not _read_once(graph, values):
        return None
    if values in makers:
        return Values(values, 0)
    split = graph.producers.get(values)
    if (
        split is None
        or split.op_type != "Split"
        or split.input[0] not in makers
        or not _read_once(graph, split.input[0])
    ):
        return None
    sizes = graph.constant(split.input[1])
    return None if sizes is None else Values(split.input[0], int(sizes[: list(split.output).index(values)].sum()))


def _mixing(graph: Graph, name: str) -> onnx.NodeProto | None:
    """The product of attention's weights and values that gives `name`; None where weights may not sum to 1."""
    product = graph.producers.get(name)
    sums = None
    if product is not None and product.op_type == "Div":  # a Softmax spelled out divides by its sums last
        sums = graph.producers.get(product.input[1])
        product = graph.producers.get(product.input[0])
    if product is None or product.op_type not in {"MatMul", "FusedMatMul"} or not _read_once(graph, product.output[0]):
        return None
    weights = graph.producers.get(product.input[0]) if sums is None else sums
    if weights is None or (sums is not None and sums.input[0] != product.input[0]):
        return None
    return product if weights.op_type == ("Softmax" if sums is None else "ReduceSum") else None


def _before_views(graph: Graph, name: str) -> str:
    """The tensor that was cut into heads or turned to give `name`, as far as nothing else reads what is between."""
    while (node := graph.producers.get(name)) is not None and node.op_type in {"Reshape", "Transpose"}:
        turned = node.op_type == "Transpose" and list(onnx.helper.get_node_attr_value(node, "perm")) not in HEADS
        if turned or not _read_once(graph, node.input[0]):
            break
        name = node.input[0]
    return name


def _read_once(graph: Graph, name: str) -> bool:
    readers = [node for node in graph.consumers[name] if node.op_type != "Shape"]
    return len(readers) == 1 and name not in graph.outputs


def _setting(node: onnx.NodeProto, name: str) -> int:
    return next((attribute.i for attribute in node.attribute if attribute.name == name), 0)
