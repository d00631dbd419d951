"""Finding self-attention in graphs that a tracer made, and refusing what only looks like it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import onnx
import pytest

from engine_export import encoder_graph as surgery
from engine_export.attention import find_attentions
from engine_export.graph import Graph, rebuilt
from engine_export.sources import EncoderSource
from engine_runtime.errors import InputError


@pytest.fixture(scope="module")
def model(source: EncoderSource) -> onnx.ModelProto:
    return surgery.encoder_graphs(source).padded


def changed(model: onnx.ModelProto, change: Callable[[onnx.NodeProto], None], kind: str) -> onnx.ModelProto:
    """The model with the first node of a kind inside attention changed."""
    nodes = []
    for node in model.graph.node:
        copy = onnx.NodeProto()
        copy.CopyFrom(node)
        nodes.append(copy)
    change(next(node for node in nodes if node.op_type == kind and "attention/self" in node.name))
    return rebuilt(model, nodes)


def test_each_layer_is_found(model: onnx.ModelProto) -> None:
    """Every layer's attention is found, with heads, scale, weights and the mask that is added."""
    found = find_attentions(model)
    assert [attention.heads for attention in found] == [4, 4]
    assert [attention.scale for attention in found] == pytest.approx([8**-0.5] * 2)
    assert {attention.weight.shape for attention in found} == {(32, 96)}
    assert {attention.bias.shape for attention in found} == {(96,)}
    masks = [attention.added for attention in found]
    assert masks[0] == masks[1]
    assert len(masks[0]) == 1


def test_output_is_what_the_next_layer_reads(model: onnx.ModelProto) -> None:
    """What attention gives is read by one linear layer, and what it reads is a norm's result."""
    graph = Graph(model)
    for attention in find_attentions(model):
        assert graph.consumers[attention.output][0].op_type == "MatMul"
        assert graph.producers[attention.states].op_type == "LayerNormalization"


def test_graph_without_attention_is_refused(model: onnx.ModelProto) -> None:
    """A graph without a Softmax has no attention to fuse."""
    with pytest.raises(InputError, match=r"no Softmax\. Export fp32"):
        find_attentions(rebuilt(model, list(model.graph.node)[:30], outputs=[]))


def turn_heads(node: onnx.NodeProto) -> None:
    """Transpose heads otherwise."""
    node.attribute[0].CopyFrom(onnx.helper.make_attribute("perm", [0, 1, 2, 3]))


def swap_parts(node: onnx.NodeProto) -> None:
    """Take values for keys and keys for values."""
    node.output[1], node.output[2] = node.output[2], node.output[1]


def scale_by_input(node: onnx.NodeProto) -> None:
    """Scale by something that is computed."""
    node.input[1] = node.input[0]


def multiply(node: onnx.NodeProto) -> None:
    """Put another function where scores are mixed."""
    node.op_type = "Mul"


@pytest.mark.parametrize(
    ("kind", "change", "why"),
    [
        ("Transpose", turn_heads, "heads are not transposed"),
        ("Split", swap_parts, "not three parts of one linear layer"),
        ("Div", scale_by_input, "scaled by something that is computed"),
        ("MatMul", multiply, "not three parts of one linear layer"),
        ("Concat", lambda node: node.input.pop(), "number of its heads is not written"),
    ],
)
def test_what_only_looks_like_attention_is_refused(
    model: onnx.ModelProto, kind: str, change: Callable[[onnx.NodeProto], None], why: str
) -> None:
    """The message names the node, says what is unlike, and offers float32."""
    with pytest.raises(InputError, match=rf"attention around .*Softmax.*{why}.*fp32 runs on CUDA too"):
        find_attentions(changed(model, change, kind))


def test_scale_may_be_a_factor(model: onnx.ModelProto) -> None:
    """Multiplying by the inverse is the same scale as dividing."""

    def turn(node: onnx.NodeProto) -> None:
        node.op_type = "Mul"

    first = find_attentions(changed(model, turn, "Div"))[0]
    assert first.scale == pytest.approx(8**0.5)
    assert np.array_equal(first.weight, find_attentions(model)[0].weight)
