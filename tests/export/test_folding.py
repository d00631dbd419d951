"""Shift and division that other nodes take over."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import onnx
import pytest
from onnx import helper

from engine_export.calibrate import measure_ranges, vectors
from engine_export.folding import fold
from engine_export.graph import Graph, constant, floats
from engine_export.plan import LinearPlan, plan_group
from engine_export.quantize import quantize_linears
from engine_export.takers import Norm, Residual, takers

GENERATOR = np.random.default_rng(5)
FEEDS = [{"x": GENERATOR.standard_normal((64, 16)).astype(np.float32)} for _ in range(2)]


def block(last: list[onnx.NodeProto]) -> onnx.ModelProto:
    """A norm whose channels are off their centre, a layer of 16 to 16 after it, then `last`, which gives y."""
    parts = {
        "gain": np.abs(GENERATOR.standard_normal(16)) + 0.5,
        "shift": 5 * GENERATOR.standard_normal(16),
        "w": GENERATOR.standard_normal((16, 16)) / 4,
        "b": GENERATOR.standard_normal(16),
    }
    nodes = [
        helper.make_node("LayerNormalization", ["x", "gain", "shift"], ["n"], axis=-1),
        helper.make_node("MatMul", ["n", "w"], ["p"], name="layer"),
        helper.make_node("Add", ["p", "b"], ["s"]),
        *last,
    ]
    tensors = [constant(name, value, np.float32) for name, value in parts.items()]
    graph = helper.make_graph(nodes, "g", [floats("x", "n", 16)], [floats("y", "n", 16)], tensors)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)


def plans_of(model: onnx.ModelProto, alpha: float | None = 0.5) -> list[LinearPlan]:
    """Plans for the layers after the norm."""
    return plan_group(Graph(model).linears(), measure_ranges(model, {"n": 16}, FEEDS)["n"], alpha)


ALONE = [helper.make_node("Relu", ["s"], ["y"])]
RESIDUAL = [helper.make_node("Add", ["n", "s"], ["y"])]
TWICE = [helper.make_node("Add", ["n", "s"], ["t"]), helper.make_node("Mul", ["t", "n"], ["y"])]


@pytest.mark.parametrize(
    ("last", "taker", "extra"),
    [(ALONE, Norm(None), []), (RESIDUAL, Norm(Residual("y", "s")), ["Mul"]), (TWICE, None, ["Sub", "Mul"])],
)
def test_norm_shifts_and_divides(last: list[onnx.NodeProto], taker: Norm | None, extra: list[str]) -> None:
    """A norm does it for planned layers alone for nothing, beside a residual for one product, otherwise not at all."""
    model = block(last)
    plans = plans_of(model)
    assert takers(Graph(model), Graph(model).linears()) == ({} if taker is None else {"n": taker})
    made = quantize_linears(model, plans)
    kinds = [node.op_type for node in made.graph.node]
    expected = ["LayerNormalization", *extra, "QuantizeLinear", "MatMulIntegerToFloat"]
    assert sorted(kinds) == sorted([*expected, *(node.op_type for node in last)])
    exact = vectors(model, FEEDS, "y")
    assert np.abs(vectors(made, FEEDS, "y") - exact).max() < 0.03 * np.abs(exact).max()


def test_a_layer_that_is_read_twice_keeps_its_bias() -> None:
    """Where the layer in a residual's sum is read elsewhere too, its bias cannot take the shift."""
    model = block([helper.make_node("Add", ["n", "s"], ["t"]), helper.make_node("Mul", ["t", "s"], ["y"])])
    assert takers(Graph(model), Graph(model).linears()) == {}


@pytest.mark.parametrize(("height", "left"), [(1.0, 0), (0.5, 1)])
def test_minimum_of_the_integers_range_is_left_out(height: float, left: int) -> None:
    """A minimum goes if the integers saturate there, and stays if they reach further."""
    nodes = [
        helper.make_node("Abs", ["x"], ["a"]),
        helper.make_node("Clip", ["a", "", "top"], ["c"]),
        helper.make_node("MatMul", ["c", "w"], ["y"], name="layer"),
    ]
    tensors = [constant("top", height, np.float32), constant("w", GENERATOR.standard_normal((16, 16)), np.float32)]
    graph = helper.make_graph(nodes, "g", [floats("x", "n", 16)], [floats("y", "n", 16)], tensors)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)
    seen = measure_ranges(model, {"c": 16}, FEEDS)["c"]
    plans = plan_group(Graph(model).linears(), replace(seen, high=np.ones(16, np.float32)), None)
    folded, _ = fold(model, plans)
    assert [node.op_type for node in folded.graph.node].count("Clip") == left
    made, exact = vectors(quantize_linears(model, plans), FEEDS, "y"), vectors(model, FEEDS, "y")
    assert np.abs(made - exact).max() < 0.03 * np.abs(exact).max()
