"""The refiner graph against PyTorch."""

from __future__ import annotations

import numpy as np
import onnx
import pytest

from engine_export import refiner_graph as refining
from engine_models.refiner import Refiner
from engine_runtime.errors import ArtefactError
from engine_runtime.inference.session import open_session


@pytest.fixture(scope="module")
def graph(refiner: Refiner) -> onnx.ModelProto:
    return refining.refiner_graph(refiner)


@pytest.mark.parametrize("batch", [1, 3])
@pytest.mark.parametrize("length", [1, 7, 50])
def test_graph_equals_torch(graph: onnx.ModelProto, refiner: Refiner, batch: int, length: int) -> None:
    """Query, profile and concepts are PyTorch's at any size."""
    feed = refining.random_feed(refiner.shape, batch, length, seed=length)
    found = open_session(graph.SerializeToString()).run(list(refining.OUTPUTS), feed)
    for left, right in zip(found, refining.in_torch(refiner, feed), strict=True):
        np.testing.assert_allclose(left, right, atol=1e-5)


def test_only_blocks_are_quantized(graph: onnx.ModelProto) -> None:
    """Of all layers, the six in each block of the Transformer may become int8."""
    from engine_export.graph import Graph

    assert sum(refining.is_block(linear.name) for linear in Graph(graph).linears()) == 12


def test_other_weights_are_refused(graph: onnx.ModelProto, refiner: Refiner) -> None:
    """A graph of another refiner than the one it is held against is refused."""
    other = Refiner(refiner.shape).eval()
    with pytest.raises(ArtefactError, match="differs from PyTorch in 'query'"):
        refining.check_against_refiner(graph, other)
