"""What depends on sizes alone, worked out beforehand."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from engine_export.graph import Floats, Graph, constant, floats
from engine_export.sizes import freeze_sizes, reached_inputs
from engine_runtime.errors import InputError
from engine_runtime.inference.session import open_session

TABLE = np.random.default_rng(0).standard_normal((12, 3)).astype(np.float32)


def model_of(nodes: list[onnx.NodeProto], *tensors: onnx.TensorProto) -> onnx.ModelProto:
    """A model from tokens `x` [b, t] to `y` [b, t, 3], which adds the tensor `position` to a gathered row."""
    node = helper.make_node
    whole = [
        node("Shape", ["x"], ["shape"]),
        node("Gather", ["shape", "one"], ["length"]),
        *nodes,
        node("Gather", ["table", "x"], ["row"]),
        node("Add", ["row", "position"], ["y"]),
    ]
    constants = [constant("one", 1, np.int64), constant("table", TABLE), *tensors]
    graph = helper.make_graph(
        whole,
        "g",
        [helper.make_tensor_value_info("x", TensorProto.INT64, ["b", "t"])],
        [floats("y", "b", "t", 3)],
        constants,
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)


def positions(*more: onnx.NodeProto) -> onnx.ModelProto:
    """Positions 0, 1, .. gathered from the table, and what `more` makes of them."""
    node = helper.make_node
    nodes = [
        node("Range", ["zero", "length", "step"], ["places"]),
        node("Gather", ["table", "places"], ["gathered"]),
        *(more or [node("Identity", ["gathered"], ["position"])]),
    ]
    return model_of(nodes, constant("zero", 0, np.int64), constant("step", 1, np.int64))


def run(model: onnx.ModelProto, batch: int, tokens: int) -> Floats:
    """Run a model on some tokens."""
    ids = np.random.default_rng(tokens).integers(0, 12, (batch, tokens))
    found: Floats = open_session(model.SerializeToString()).run(["y"], {"x": ids})[0]
    return found


@pytest.mark.parametrize(("batch", "tokens"), [(1, 1), (3, 1), (2, 5), (1, 12), (4, 12)])
def test_positions_are_the_upper_part_of_a_table(batch: int, tokens: int) -> None:
    """Frozen, a graph gives the same, and works out no places at run time."""
    plain = positions()
    frozen = freeze_sizes(plain, 12)
    np.testing.assert_array_equal(run(frozen, batch, tokens), run(plain, batch, tokens))
    assert sum(node.op_type == "Slice" for node in frozen.graph.node) == 1


def test_equal_rows_need_no_cut() -> None:
    """A tensor that is the same at every place is one row, whatever the size."""
    node = helper.make_node
    plain = positions(node("Mul", ["gathered", "nothing"], ["position"]))
    plain.graph.initializer.append(constant("nothing", 0, np.float32))
    frozen = freeze_sizes(plain, 12)
    assert not any(node.op_type == "Slice" for node in frozen.graph.node)
    np.testing.assert_array_equal(run(frozen, 2, 7), run(plain, 2, 7))


def test_what_is_no_part_of_the_longest_is_refused() -> None:
    """Positions counted from the end are others for each length, and are refused by name."""
    node = helper.make_node
    counted = node("Sub", ["length", "places"], ["left"])
    plain = positions(counted, node("Cast", ["left"], ["count"], to=TensorProto.FLOAT), _column(), _spread())
    plain.graph.initializer.extend([constant("last", [-1], np.int64), constant("three", np.ones(3), np.float32)])
    with pytest.raises(InputError, match="tensor position of the graph depends on the sizes"):
        freeze_sizes(plain, 12)


def _column() -> onnx.NodeProto:
    return helper.make_node("Unsqueeze", ["count", "last"], ["column"])


def _spread() -> onnx.NodeProto:
    return helper.make_node("Mul", ["column", "three"], ["position"])


def test_graph_without_such_tensors_stays() -> None:
    """A graph that computes nothing from sizes is returned as it is."""
    plain = model_of([helper.make_node("Identity", ["still"], ["position"])], constant("still", TABLE[:1]))
    assert freeze_sizes(plain, 12) is plain


def test_values_reach_and_sizes_do_not() -> None:
    """A tensor depends on an input only through its values."""
    graph = Graph(positions())
    assert reached_inputs(graph, "position") == set()
    assert reached_inputs(graph, "y") == {"x"}
