"""What tensors inside a graph hold."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from onnx import helper

from engine_export import calibrate
from engine_export.calibrate import measure_ranges
from engine_export.graph import constant, floats

GENERATOR = np.random.default_rng(8)
FEEDS = [{"x": GENERATOR.standard_normal((rows, 6)).astype(np.float32)} for rows in (3, 9)]


def doubled() -> onnx.ModelProto:
    """Two tensors: y is twice x, z is y less 1."""
    nodes = [helper.make_node("Mul", ["x", "two"], ["y"]), helper.make_node("Sub", ["y", "one"], ["z"])]
    tensors = [constant("two", 2, np.float32), constant("one", 1, np.float32)]
    graph = helper.make_graph(nodes, "g", [floats("x", "n", 6)], [floats("z", "n", 6)], tensors)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)


@pytest.mark.parametrize("held", [1 << 25, 36, 1])
def test_ranges_and_scatter_are_those_of_all_rows(held: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Least, greatest and how channels go together are over every feed, however many tensors are measured at a time."""
    monkeypatch.setattr(calibrate, "MOMENTS", held)
    found = measure_ranges(doubled(), {"y": 6, "z": 6}, FEEDS)
    rows = 2 * np.concatenate([feed["x"] for feed in FEEDS])
    for name, expected in (("y", rows), ("z", rows - 1)):
        np.testing.assert_allclose(found[name].low, expected.min(0), rtol=1e-6)
        np.testing.assert_allclose(found[name].high, expected.max(0), rtol=1e-6)
        centred = expected - expected.mean(0)
        np.testing.assert_allclose(found[name].scatter, centred.T @ centred, rtol=1e-5, atol=1e-4)
