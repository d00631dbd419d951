"""Softmax spelled out without its maximum, where scores are known to stay small.

Knows graphs and feeds; knows nothing of integers. Softmax takes the greatest score of a row off before the exponential,
so that it cannot overflow. Where the greatest score of every row is far from 88, at which a float32 overflows, and from
-87, at which it vanishes, ``exp`` of the scores themselves, the sums of its rows, and one division of the mixed values
give the same in less time. What overflows or vanishes after all is not finite, and the runtime never lets that out.

ONNX Runtime sums a row in an order that depends on where in 16 bytes it begins. The scores of a text begin there alone
as they do among others only where its matrices, one for each head, fill whole 16 bytes at any length: where the number
of heads is a multiple of 4. Other attention keeps its Softmax, whose order is fixed.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import onnx

from engine_export.calibrate import Feed, run_graph
from engine_export.graph import Graph, constant, floats, rebuilt

MOST_SCORE = 30.0
"""How far from 0 the greatest score of a row may be in calibration; a factor of e^57 is left above it and below it."""

ALIGNED_HEADS = 4
"""Matrices of any size, so many together, fill whole 16 bytes of float32."""

LAST = constant("exponentials.last", [-1], np.int64)


def without_maximum(model: onnx.ModelProto, feeds: Sequence[Feed]) -> tuple[onnx.ModelProto, int]:
    """Spell out every Softmax over the last axis that weighs values and whose scores stay small and begin alike.

    Parameters
    ----------
    model
        Float32; its attention mixes values in one product after Softmax.
    feeds
        Inputs of many kinds, to see how great the scores are; the first axis of each is the batch.

    Returns
    -------
    model : onnx.ModelProto
    spelled : int
        How many were spelled out.
    """
    graph = Graph(model)
    pairs = [(node, mixing) for node in model.graph.node if (mixing := _mixing(graph, node)) is not None]
    scores = [softmax.input[0] for softmax, _ in pairs]
    found = zip(pairs, _furthest(model, scores, feeds), _heads(model, scores, feeds[:1]), strict=True)
    small = [pair for pair, furthest, heads in found if furthest <= MOST_SCORE and heads % ALIGNED_HEADS == 0]
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


def _heads(model: onnx.ModelProto, scores: Sequence[str], feeds: Sequence[Feed]) -> list[int]:
    """How many matrices of scores each text has, for each tensor of scores; `feeds` is one."""
    watched = rebuilt(model, model.graph.node, outputs=[floats(name) for name in scores])
    texts = len(next(iter(feeds[0].values())))
    return [int(np.prod(np.shape(seen)[:-2])) // texts for seen in next(iter(run_graph(watched, feeds, scores)))]
