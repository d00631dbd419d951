"""The integer products alone."""

from __future__ import annotations

from pathlib import Path

import onnx
import pytest

from engine_bench.products import PRODUCT, Products, operations, products_graph
from engine_runtime.artefacts.encoder import EncoderArtefact
from engine_runtime.errors import ArtefactError


@pytest.fixture(scope="module")
def model(encoder: EncoderArtefact) -> onnx.ModelProto:
    return products_graph(encoder.graph("int8"))


@pytest.fixture(scope="module")
def weights(encoder: EncoderArtefact) -> list[tuple[int, ...]]:
    """Shapes of the weights of the products, as they are in the file."""
    graph = onnx.load(str(encoder.graph("int8"))).graph
    shapes = {tensor.name: tuple(tensor.dims) for tensor in graph.initializer}
    return [shapes[node.input[1]] for node in graph.node if node.op_type == PRODUCT]


def test_all_products_and_nothing_else(model: onnx.ModelProto, weights: list[tuple[int, ...]]) -> None:
    """There is a node for each product of the graph, and one input for each width."""
    assert {node.op_type for node in model.graph.node} == {PRODUCT}
    assert len(model.graph.node) == len(weights) > 0
    assert {tensor.name for tensor in model.graph.input} == {f"u8.{k}" for k, _ in weights}


def test_operations_are_those_of_the_shapes(model: onnx.ModelProto, weights: list[tuple[int, ...]]) -> None:
    """Two for each number of the weights and each position, padding included."""
    assert operations(model, [(2, 3), (1, 4)]) == 2 * (2 * 3 + 4) * sum(k * n for k, n in weights)


@pytest.mark.parametrize("threads", [1, 2])
def test_they_run_on_every_batch(model: onnx.ModelProto, threads: int) -> None:
    """Batches of any shape up to the greatest run, side by side."""
    assert Products(model, threads, 12).seconds([(2, 3), (1, 1), (3, 4)]) > 0


def test_a_graph_without_products(encoder: EncoderArtefact) -> None:
    """The float32 variant has no floor of this kind."""
    with pytest.raises(ArtefactError, match="no integer products"):
        products_graph(Path(encoder.graph("fp32")))
