"""Attention's values behind the mixed heads."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from onnx import helper

from engine_export.graph import CONTRIB, Graph, constant, floats
from engine_export.takers import Values, takers

GENERATOR = np.random.default_rng(2)


def attention(weigh: list[onnx.NodeProto], after: list[onnx.NodeProto]) -> onnx.ModelProto:
    """Two heads of 4: `weigh` makes weights w of scores c, and `after` makes d of mixed values m."""
    make = helper.make_node
    nodes = [
        make("MatMul", ["x", "v"], ["p"], name="values"),
        make("Add", ["p", "b"], ["s"]),
        make("Reshape", ["s", "cut"], ["heads"]),
        *weigh,
        make("FusedMatMul", ["w", "heads"], ["m"], domain=CONTRIB, transBatchB=1),
        *after,
        make("Transpose", ["d"], ["turned"], perm=[1, 0, 2]),
        make("Reshape", ["turned", "joined"], ["mixed"]),
        make("MatMul", ["mixed", "o"], ["y"], name="output"),
    ]
    tensors = [
        constant("cut", [0, -1, 4], np.int64),
        constant("joined", [0, -1, 8], np.int64),
        constant("axis", [-1], np.int64),
        *(constant(name, GENERATOR.standard_normal((8, 8)), np.float32) for name in ("v", "o")),
        constant("b", np.ones(8), np.float32),
    ]
    inputs = [floats("x", "t", "n", 8), floats("c", "h", "t", "t")]
    graph = helper.make_graph(nodes, "g", inputs, [floats("y", "t", "n", 8)], tensors)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18), helper.make_opsetid(CONTRIB, 1)])


SOFTMAX = helper.make_node("Softmax", ["c"], ["w"], axis=-1)
EXP = helper.make_node("Exp", ["c"], ["w"])
SUMS = helper.make_node("ReduceSum", ["w", "axis"], ["sums"])
DIVIDED = helper.make_node("Div", ["m", "sums"], ["d"])
DOUBLED = helper.make_node("Add", ["m", "m"], ["d"])


@pytest.mark.parametrize(
    ("weigh", "after", "found"),
    [
        ([EXP, SUMS], [DIVIDED], {"mixed": Values("s", 0)}),
        ([EXP, SUMS], [DOUBLED], {}),
        ([SOFTMAX, SUMS], [DOUBLED], {}),
    ],
)
def test_values_are_found(weigh: list[onnx.NodeProto], after: list[onnx.NodeProto], found: dict[str, Values]) -> None:
    """Values take part only where weights surely sum to 1: here, where the mixed values are divided by the sums."""
    graph = Graph(attention(weigh, after))
    assert takers(graph, graph.linears()) == found


def test_values_read_elsewhere_are_left_alone() -> None:
    """Values that something else reads too cannot be divided."""
    model = attention([EXP, SUMS], [DIVIDED])
    model.graph.node.append(helper.make_node("Relu", ["heads"], ["other"]))
    assert takers(Graph(model), Graph(model).linears()) == {}
