"""Looking things up in graphs."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from onnx import helper

from engine_export.graph import Graph, constant, floats, rebuilt


def model_of(nodes: list[onnx.NodeProto], tensors: list[onnx.TensorProto], width: int = 2) -> onnx.ModelProto:
    """A model from `x` [n, 3] to `y`."""
    graph = helper.make_graph(nodes, "g", [floats("x", "n", 3)], [floats("y", "n", width)], tensors)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)


WEIGHT = np.arange(6, dtype=np.float32).reshape(3, 2)
BIAS = np.array([1, 2], np.float32)


def test_product_and_addition_are_one_layer() -> None:
    """A product with a constant and the constant added to it, from either side, are one layer."""
    nodes = [helper.make_node("MatMul", ["x", "w"], ["p"], name="m"), helper.make_node("Add", ["b", "p"], ["y"])]
    (linear,) = Graph(model_of(nodes, [constant("w", WEIGHT), constant("b", BIAS)])).linears()
    assert (linear.name, linear.activation, linear.output, linear.replaces) == ("m", "x", "y", ("p", "y"))
    np.testing.assert_array_equal(linear.bias, BIAS)


def test_shared_product_has_no_bias() -> None:
    """What is added to a product that is also read elsewhere is no part of the layer."""
    nodes = [
        helper.make_node("MatMul", ["x", "w"], ["p"]),
        helper.make_node("Add", ["p", "b"], ["s"]),
        helper.make_node("Mul", ["p", "s"], ["y"]),
    ]
    (linear,) = Graph(model_of(nodes, [constant("w", WEIGHT), constant("b", BIAS)])).linears()
    assert (linear.name, linear.bias, linear.output) == ("p", None, "p")


@pytest.mark.parametrize("trans", [0, 1])
def test_gemm_is_a_layer(trans: int) -> None:
    """A Gemm is a layer, its matrix turned where it is kept the other way round."""
    nodes = [helper.make_node("Gemm", ["x", "w", "b"], ["y"], name="m", transB=trans)]
    weight = WEIGHT.T if trans else WEIGHT
    (linear,) = Graph(model_of(nodes, [constant("w", weight), constant("b", BIAS)])).linears()
    np.testing.assert_array_equal(linear.weight, WEIGHT)
    np.testing.assert_array_equal(linear.bias, BIAS)


def test_scaled_gemm_is_left_alone() -> None:
    """A Gemm that also scales is no plain layer."""
    nodes = [helper.make_node("Gemm", ["x", "w"], ["y"], alpha=0.5)]
    assert Graph(model_of(nodes, [constant("w", WEIGHT)])).linears() == []


def test_product_of_two_activations_is_no_layer() -> None:
    """A product with a computed matrix is no layer."""
    nodes = [helper.make_node("Transpose", ["x"], ["t"]), helper.make_node("MatMul", ["x", "t"], ["y"])]
    assert Graph(model_of(nodes, [])).linears() == []


def test_constants_are_seen_through_identities() -> None:
    """A constant behind Constant nodes and Identity nodes is a constant."""
    nodes = [
        helper.make_node("Constant", [], ["c"], value=constant("", WEIGHT)),
        helper.make_node("Identity", ["c"], ["w"]),
        helper.make_node("MatMul", ["x", "w"], ["y"]),
    ]
    graph = Graph(model_of(nodes, []))
    np.testing.assert_array_equal(graph.constant("w"), WEIGHT)
    assert graph.constant("x") is None


def test_unread_constants_are_left_out() -> None:
    """A rebuilt model holds the constants that it reads and no others."""
    nodes = [helper.make_node("MatMul", ["x", "w"], ["y"])]
    model = rebuilt(model_of(nodes, [constant("w", WEIGHT), constant("old", BIAS)]), nodes, [constant("new", BIAS)])
    assert [tensor.name for tensor in model.graph.initializer] == ["w"]


def test_constants_of_branches_are_kept() -> None:
    """A constant that only a branch of an If reads stays."""
    branch = helper.make_graph([helper.make_node("MatMul", ["x", "w"], ["z"])], "b", [], [floats("z", "n", 2)])
    nodes = [
        helper.make_node("Constant", [], ["yes"], value=constant("", True)),
        helper.make_node("If", ["yes"], ["y"], then_branch=branch, else_branch=branch),
    ]
    model = model_of(nodes, [constant("w", WEIGHT)])
    assert [tensor.name for tensor in rebuilt(model, nodes).graph.initializer] == ["w"]
