"""The refiner graph against PyTorch."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
import torch

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
    """Query, profile and concepts are PyTorch's at sizes that were not traced, padding included."""
    feed = refining.random_feed(refiner, batch, length, seed=length)
    found = open_session(graph.SerializeToString()).run(list(refining.OUTPUTS), feed)
    with torch.inference_mode():
        expected = refiner(*(torch.from_numpy(feed[name]) for name in refining.INPUTS))
    for left, right in zip(found, expected, strict=True):
        np.testing.assert_allclose(left, right.numpy(), atol=1e-5)


def test_nothing_but_padding_is_finite(graph: onnx.ModelProto, refiner: Refiner) -> None:
    """A row whose mask is empty gives numbers, for all that they mean nothing."""
    feed = refining.random_feed(refiner, 2, 5)
    feed["mask"][1] = 0
    assert all(np.isfinite(value).all() for value in open_session(graph.SerializeToString()).run(None, feed))


def test_padding_changes_nothing(graph: onnx.ModelProto, refiner: Refiner) -> None:
    """What stands on padding does not reach the results."""
    session = open_session(graph.SerializeToString())
    feed = refining.random_feed(refiner, 3, 7)
    other = {name: value.copy() for name, value in feed.items()}
    other["vectors"][feed["mask"] == 0] = 7
    other["values"][feed["mask"] == 0] = -7
    for left, right in zip(*(session.run(["query", "profile"], each) for each in (feed, other)), strict=True):
        np.testing.assert_allclose(left, right, atol=1e-6)


def test_only_blocks_are_quantized(graph: onnx.ModelProto) -> None:
    """Of all layers, the four in each block of the Transformer may become int8."""
    from engine_export.graph import Graph

    assert sum(refining.is_block(linear.name) for linear in Graph(graph).linears()) == 8


def test_other_weights_are_refused(graph: onnx.ModelProto, refiner: Refiner) -> None:
    """A graph of another refiner than the one it is held against is refused."""
    other = Refiner(refiner.shape).eval()
    with pytest.raises(ArtefactError, match="differs from PyTorch in 'query'"):
        refining.check_against_refiner(graph, other)
