"""Loud channels in slices."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx import helper

from engine_export.calibrate import measure_ranges, vectors
from engine_export.graph import Graph, Linear, constant, floats
from engine_export.splitting import SLICES, functions, slice_height, slices, split_loud_channels

GENERATOR = np.random.default_rng(11)
FEEDS = [{"x": GENERATOR.standard_normal((400, 8)).astype(np.float32)}]


def network(function: list[onnx.NodeProto], extra: dict[str, object] | None = None) -> onnx.ModelProto:
    """Layers of 8 to 12 and 12 to 4 with a function from s to f between them; channel 3 of its result is loud."""
    first = GENERATOR.standard_normal((8, 12))
    first[:, 3] *= 12
    parts = {"w": first, "b": GENERATOR.standard_normal(12), "v": GENERATOR.standard_normal((12, 4)), **(extra or {})}
    nodes = [
        helper.make_node("MatMul", ["x", "w"], ["p"], name="up"),
        helper.make_node("Add", ["p", "b"], ["s"]),
        *function,
        helper.make_node("MatMul", ["f", "v"], ["y"], name="down"),
    ]
    tensors = [constant(name, np.asarray(value), np.float32) for name, value in parts.items()]
    graph = helper.make_graph(nodes, "g", [floats("x", "n", 8)], [floats("y", "n", 4)], tensors)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=9)


RELU = [helper.make_node("Relu", ["s"], ["f"])]
GELU = [helper.make_node("Gelu", ["s"], ["f"])]


def grouped(model: onnx.ModelProto) -> dict[str, list[Linear]]:
    """Layers by what they read."""
    groups: dict[str, list[Linear]] = defaultdict(list)
    for linear in Graph(model).linears():
        groups[linear.activation].append(linear)
    return groups


@pytest.mark.parametrize(("function", "error"), [(RELU, 1e-6), (GELU, 0.03)])
def test_slices_add_up(function: list[onnx.NodeProto], error: float) -> None:
    """What the layer after gives hardly changes, and the greatest number it reads is a fraction of what it was."""
    model = network(function)
    found = functions(Graph(model), grouped(model))
    made = split_loud_channels(model, found, measure_ranges(model, {"f": 12}, FEEDS))
    expected = vectors(model, FEEDS, "y")
    assert np.abs(vectors(made, FEEDS, "y") - expected).max() <= error * np.abs(expected).max()
    up, down = Graph(made).linears()
    assert (up.name, down.name, down.activation) == ("up", "down", f"f{SLICES}")
    before, after = (
        measure_ranges(each, {name: width}, FEEDS)[name].high.max()
        for each, name, width in (
            (model, "f", 12),
            (made, down.activation, len(down.weight)),
        )
    )
    assert after < 0.2 * before
    assert 12 < len(down.weight) == up.weight.shape[1] <= 12 + 16


def test_functions_spelled_out_are_found() -> None:
    """A function of several nodes counts, if every one works number by number and nothing inside is read elsewhere."""
    spelled = [
        helper.make_node("Erf", ["s"], ["e"]),
        helper.make_node("Add", ["e", "one"], ["a"]),
        helper.make_node("Mul", ["s", "a"], ["f"]),
    ]
    model = network(spelled, {"one": 1.0})
    found = functions(Graph(model), grouped(model))
    assert [(name, each.maker.name, [r.name for r in each.readers]) for name, each in found.items()] == [
        ("f", "up", ["down"])
    ]


@pytest.mark.parametrize(
    "function",
    [
        [helper.make_node("Softmax", ["s"], ["f"])],
        [helper.make_node("Identity", ["s"], ["f"])],
        [helper.make_node("Relu", ["s"], ["r"]), helper.make_node("Mul", ["r", "b"], ["f"])],
        [helper.make_node("Relu", ["s"], ["r"]), helper.make_node("Mul", ["r", "p"], ["f"])],
    ],
)
def test_other_nodes_are_no_functions(function: list[onnx.NodeProto]) -> None:
    """What mixes channels, differs from channel to channel, or reads something else as well is left alone."""
    model = network(function)
    assert functions(Graph(model), grouped(model)) == {}


@given(st.lists(st.floats(0.1, 50), min_size=1, max_size=40), st.integers(0, 20))
def test_slices_are_as_low_as_they_may_be(high: list[float], extra: int) -> None:
    """No more slices than allowed, and every channel is covered."""
    channels = np.asarray(high, np.float32)
    height = slice_height(channels, extra)
    counts = slices(channels, height)
    assert counts.sum() <= extra
    assert ((counts + 1) * height >= channels * (1 - 1e-5)).all()
    assert height <= channels.max()


def test_quiet_channels_are_left_whole() -> None:
    """Of channels that are all alike and too many, none is cut; nor is any of those that were never above zero."""
    assert slice_height(np.full(40, 3, np.float32)) == 3
    assert slices(np.zeros(4, np.float32), slice_height(np.zeros(4, np.float32))).tolist() == [0, 0, 0, 0]
