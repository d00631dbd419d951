"""Softmax spelled out without its maximum, where scores are known to stay small.

Knows graphs and feeds; knows nothing of integers. Softmax takes the greatest score of a row off before the exponential,
so that it cannot overflow. Where the greatest score of every row is far from 88, at which a float32 overflows, and from
-87, at which it vanishes, ``exp`` of the scores themselves, the sums of its rows, and one division of the mixed values
give the same in less time. What overflows or vanishes after all is not finite, and the runtime never lets that out.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import onnx

from engine_export.calibrate import Feed, run_graph
from engine_export.graph import Graph, constant, floats, rebuilt

MOST_SCORE = 30.0
"""How far from 0 the greatest score of a row may be in calibration; a factor of e^57 is left above it and below it."""


LAST = constant("exponentials.last", [-1], np.int64)


def without_maximum(model: onnx.ModelProto, feeds: Sequence[Feed]) -> tuple[onnx.ModelProto, int]:
    """Spell out every Softmax over the last axis that weighs values and whose scores stay small.

    Parameters
    ----------
    model
        Float32; its attention mixes values in one product after Softmax.
    feeds
        Inputs of many kinds, to see how great the scores are.

    Returns
    -------
    model : onnx.ModelProto
    spelled : int
        How many were spelled out.
    """
    graph = Graph(model)
    pairs = [(node, mixing) for node in model.graph.node if (mixing := _mixing(graph, node)) is not None]
    furthest = _furthest(model, [softmax.input[0] for softmax, _ in pairs], feeds)
    small = [pair for pair, score in zip(pairs, furthest, strict=True) if score <= MOST_SCORE]
    starts = {softmax.output[0]: softmax for softmax, _ in small}
    ends = {mixing.output[0]: softmax for softmax, mixing in small}
    make = onnx.helper.make_node
    nodes: list[onnx.NodeProto] = []
    for node in model.graph.node:
        output = node.output[0]
        if output in starts:
            nodes += [
                make("Exp", [node.input[0]], [output], name=f"{node.name}.Exp"),
                make("ReduceSum", [output, "exponentials.last"], [f"{output}.sums"], name=f"{node.name}.Sums"),
            ]
        elif output in ends:
            weights = ends[output].output[0]
            mixed = onnx.NodeProto()
            mixed.CopyFrom(node)
            mixed.output[0] = f"{output}.whole"
            nodes += [mixed, make("Div", [mixed.output[0], f"{weights}.sums"], [output], name=f"{node.name}.Div")]
        else:
            nodes.append(node)
    return rebuilt(model, nodes, [LAST]), len(small)


def _mixing(graph: Graph, node: onnx.NodeProto) -> onnx.NodeProto | None:
    """The product that alone reads the weights of a Softmax, on its left side; None where there is no such thing."""
    if node.op_type != "Softmax" or onnx.helper.get_node_attr_value(node, "axis") != -1:
        return None
    mixing = graph.only_consumer(node.output[0])
    right = mixing is not None and mixing.op_type in {"MatMul", "FusedMatMul"} and mixing.input[0] == node.output[0]
    return mixing if right else None


def _furthest(model: onnx.ModelProto, scores: Sequence[str], feeds: Sequence[Feed]) -> list[float]:
    """How far from 0 the greatest score of a row was seen to be, for each tensor of scores."""
    if not scores:
        return []
    make = onnx.helper.make_node
    nodes, names = list(model.graph.node), [f"{score}.furthest" for score in scores]
    for score, name in zip(scores, names, strict=True):
        nodes += [
            make("ReduceMax", [score, "exponentials.last"], [f"{score}.greatest"]),
            make("Abs", [f"{score}.greatest"], [f"{score}.absolute"]),
            make("ReduceMax", [f"{score}.absolute"], [name], keepdims=0),
        ]
    watched = rebuilt(model, nodes, [LAST], [floats(name) for name in names])
    found: list[float] = np.max([np.asarray(seen) for seen in run_graph(watched, feeds, names)], axis=0).tolist()
    return found
