"""Letting the node before a layer do the division that migration asks for, so that it costs nothing at run time.

Knows graphs and plans; knows nothing of integers. A division that no node can take over stays with the layer.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np
import onnx

from engine_export.graph import Graph, constant, rebuilt
from engine_export.plan import LinearPlan


def fold_into_norms(model: onnx.ModelProto, plans: Sequence[LinearPlan]) -> tuple[onnx.ModelProto, list[LinearPlan]]:
    """Let a norm whose result only planned layers read divide for them, in its own scale and shift.

    Returns
    -------
    model : onnx.ModelProto
    plans : list of LinearPlan
        Those that were folded are marked.
    """
    graph = Graph(model)
    readers = _readers(plans)
    factors = {plan.linear.activation: plan.factors for plan in plans if not plan.folded}
    nodes, tensors, folded = [], [], set[str]()
    for node in model.graph.node:
        name = node.output[0]
        if node.op_type != "LayerNormalization" or name not in factors or not _reads_all(graph, name, readers[name]):
            nodes.append(node)
            continue
        changed = onnx.NodeProto()
        changed.CopyFrom(node)
        for position in range(1, len(node.input)):
            value = graph.constant(node.input[position])
            if value is None:
                break
            changed.input[position] = f"{node.input[position]}.{name}.folded"
            tensors.append(constant(changed.input[position], value / factors[name], np.float32))
        else:
            folded.add(name)
        nodes.append(changed if name in folded else node)
    folded_plans = [replace(plan, folded=True) if plan.linear.activation in folded else plan for plan in plans]
    return rebuilt(model, nodes, tensors), folded_plans


def fold_into_values(model: onnx.ModelProto, plans: Sequence[LinearPlan]) -> list[LinearPlan]:
    """Let the layer that makes attention's values divide for the layer that reads the mixed heads.

    Attention mixes positions and leaves channels apart, so channel j of the mixed heads is a weighted mean of channel
    j of the values; dividing the columns of the values' layer divides the result, and costs nothing at run time.
    """
    graph = Graph(model)
    readers = _readers(plans)
    by_output = {plan.linear.output: plan for plan in plans}
    for plan in plans:
        name = plan.linear.activation
        source = _values_behind(graph, name) if _reads_all(graph, name, readers[name]) else None
        if source is None or source[0] not in by_output or by_output[plan.linear.output].folded:
            continue
        output, first = source
        maker = by_output[output]
        if first + len(plan.factors) > len(maker.bias):
            continue
        divisor = np.ones(len(maker.bias), np.float32)
        divisor[first : first + len(plan.factors)] = plan.factors
        by_output[output] = replace(maker, weight_scales=maker.weight_scales / divisor, bias=maker.bias / divisor)
        by_output[plan.linear.output] = replace(by_output[plan.linear.output], folded=True)
    return [by_output[plan.linear.output] for plan in plans]


def _values_behind(graph: Graph, name: str) -> tuple[str, int] | None:
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
    return split.input[0], int(sizes[: list(split.output).index(name)].sum())


def _swaps_heads(node: onnx.NodeProto) -> bool:
    if node.op_type != "Transpose":
        return True
    return list(onnx.helper.get_node_attr_value(node, "perm")) == [0, 2, 1, 3]


def _readers(plans: Iterable[LinearPlan]) -> dict[str, set[str]]:
    readers: dict[str, set[str]] = {}
    for plan in plans:
        readers.setdefault(plan.linear.activation, set()).add(plan.linear.replaces[0])
    return readers


def _reads_all(graph: Graph, name: str, readers: set[str]) -> bool:
    consumers = {node.output[0] for node in graph.consumers[name] if node.op_type != "Shape"}
    return name not in graph.outputs and consumers == readers
