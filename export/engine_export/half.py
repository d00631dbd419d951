"""A fused graph in half precision, and float32 where half would lose.

Knows graphs; knows nothing of texts or files. Weights and states become float16; CUDA's kernels add up in float32
inside a product, a softmax and a norm. From the pooling on, which sums over tokens, all is float32, outputs too;
inputs stay whole numbers.
"""

from __future__ import annotations

import numpy as np
import onnx

from engine_export.graph import Graph, constant, rebuilt, without_dead
from engine_runtime.errors import ArtefactError

LARGEST = float(np.finfo(np.float16).max)


def halve(model: onnx.ModelProto, states: str) -> onnx.ModelProto:
    """Turn a float32 graph into half precision as far as the tensor `states`, and leave the rest as it is.

    Parameters
    ----------
    model
        A graph that takes whole numbers.
    states
        The tensor that is turned back into float32; all that is computed for it is float16.

    Raises
    ------
    ArtefactError
        A weight is greater than float16 can hold.
    """
    graph = Graph(model)
    before = _leading_to(graph, states)
    nodes: list[onnx.NodeProto] = []
    tensors: dict[str, onnx.TensorProto] = {}
    for node in model.graph.node:
        if node.output[0] not in before:
            nodes.append(node)
            continue
        changed = _in_half(node)
        for place, name in enumerate(node.input):
            value = graph.constant(name)
            if value is not None and value.dtype == np.float32:
                changed.input[place] = f"{name}.half"
                tensors[name] = constant(f"{name}.half", _rounded(name, value))
        nodes.append(changed)
        if states in node.output:
            changed.output[0] = f"{states}.half"
            cast = onnx.helper.make_node(
                "Cast", [changed.output[0]], [states], name="half/Cast", to=onnx.TensorProto.FLOAT
            )
            nodes.append(cast)
    return without_dead(rebuilt(model, nodes, tensors.values()))


def _leading_to(graph: Graph, name: str) -> set[str]:
    """First outputs of the nodes that the tensor `name` is computed by."""
    waiting, found = [name], set[str]()
    while waiting:
        node = graph.producers.get(waiting.pop())
        if node is not None and node.output[0] not in found:
            found.add(node.output[0])
            waiting += node.input
    return found


def _in_half(node: onnx.NodeProto) -> onnx.NodeProto:
    changed = onnx.NodeProto()
    changed.CopyFrom(node)
    for attribute in changed.attribute:
        if node.op_type == "Cast" and attribute.name == "to" and attribute.i == onnx.TensorProto.FLOAT:
            attribute.i = onnx.TensorProto.FLOAT16
    return changed


def _rounded(name: str, value: np.ndarray) -> np.ndarray:
    if not np.abs(value).max(initial=0) <= LARGEST:
        raise ArtefactError(
            f"the weight {name} has values past {LARGEST:g}, more than float16 can hold. Export without fp16."
        )
    return value.astype(np.float16)
