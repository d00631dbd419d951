"""From float32 graphs to int8 graphs."""

from __future__ import annotations

from collections import Counter

import numpy as np
import onnx
import pytest
from onnx import helper

from engine_export.calibrate import measure_ranges, vectors
from engine_export.graph import CONTRIB, Graph, constant, floats
from engine_export.plan import LinearPlan, plan_group
from engine_export.quantize import quantize_linears, quantize_tables, with_shadows

GENERATOR = np.random.default_rng(5)


def normed(reader: bool) -> onnx.ModelProto:
    """A norm and a layer of 16 to 16 after it; with `reader`, the norm's result also goes past the layer."""
    parts = {
        "gain": np.abs(GENERATOR.standard_normal(16)) + 0.5,
        "shift": GENERATOR.standard_normal(16),
        "w": GENERATOR.standard_normal((16, 16)) / 4,
        "b": GENERATOR.standard_normal(16),
    }
    nodes = [
        helper.make_node("LayerNormalization", ["x", "gain", "shift"], ["n"], axis=-1),
        helper.make_node("MatMul", ["n", "w"], ["p"], name="layer"),
        helper.make_node("Add", ["p", "b"], ["s"]),
        helper.make_node("Add", ["s", "n"], ["y"]) if reader else helper.make_node("Relu", ["s"], ["y"]),
    ]
    tensors = [constant(name, value, np.float32) for name, value in parts.items()]
    graph = helper.make_graph(nodes, "g", [floats("x", "n", 16)], [floats("y", "n", 16)], tensors)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)


FEEDS = [{"x": GENERATOR.standard_normal((64, 16)).astype(np.float32)} for _ in range(2)]


def plans_of(model: onnx.ModelProto) -> list[LinearPlan]:
    """Plans for every layer after the norm."""
    return plan_group(Graph(model).linears(), measure_ranges(model, {"n": 16}, FEEDS)["n"], 0.5)


def kinds(model: onnx.ModelProto) -> Counter[str]:
    """Number of nodes by operation."""
    return Counter(node.op_type for node in model.graph.node)


def test_one_quantization_for_all_readers() -> None:
    """Two layers that read one tensor share its integers."""
    model = normed(reader=True)
    second = [
        helper.make_node("MatMul", ["n", "v"], ["q"], name="second"),
        helper.make_node("Add", ["y", "q"], ["z"]),
    ]
    model.graph.node.extend(second)
    model.graph.initializer.append(constant("v", GENERATOR.standard_normal((16, 16)), np.float32))
    plans = plans_of(model)
    found = kinds(quantize_linears(model, plans))
    assert (found["QuantizeLinear"], found["MatMulIntegerToFloat"]) == (1, 2)


def test_shadows_measure_the_layer_itself() -> None:
    """A shadow's sums are those of the layer's own error on the exact input."""
    model = normed(reader=False)
    plans = plans_of(model)
    shadowed = with_shadows(model, plans)
    summed, squares, power, size = (
        vectors(shadowed, FEEDS[:1], output.name) if output.name.endswith("sum") else _scalar(shadowed, output.name)
        for output in shadowed.graph.output
    )
    exact, rough = (_inner(each, "s") for each in (model, quantize_linears(model, plans)))
    np.testing.assert_allclose(summed, (exact - rough).sum(axis=0), atol=1e-3)
    assert float(squares) == pytest.approx(float(((exact - rough) ** 2).sum()), rel=1e-2)
    assert float(power) == pytest.approx(float((exact**2).sum()), rel=1e-4)
    assert int(size) == 64 * 16


def _scalar(model: onnx.ModelProto, name: str) -> np.ndarray:
    from engine_export.calibrate import run_graph

    return next(iter(run_graph(model, FEEDS[:1], [name])))[0]


def _inner(model: onnx.ModelProto, name: str) -> np.ndarray:
    from engine_export.graph import rebuilt

    return vectors(rebuilt(model, model.graph.node, (), [floats(name, "n", 16)]), FEEDS[:1], name)


def test_large_tables_become_int8() -> None:
    """Rows of a table over the limit are stored as bytes and come out within half a step; a small one stays."""
    table = GENERATOR.standard_normal((40, 8)).astype(np.float32)
    nodes = [helper.make_node("Gather", ["t", "x"], ["y"], name="g")]
    ids = helper.make_tensor_value_info("x", onnx.TensorProto.INT64, ["n"])
    graph = helper.make_graph(nodes, "g", [ids], [floats("y", "n", 8)], [constant("t", table)])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)
    made = quantize_tables(model, 320)
    rows = np.array([3, 39, 3])
    assert made.ByteSize() < 0.6 * model.ByteSize()
    np.testing.assert_allclose(vectors(made, [{"x": rows}], "y"), table[rows], atol=np.abs(table).max() / 250)
    assert kinds(quantize_tables(model, 321)) == {"Gather": 1}
    assert {opset.domain for opset in made.opset_import} == {"", CONTRIB}
