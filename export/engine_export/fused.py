"""An encoder's float32 graph with attention, norms and activations fused into the operators that CUDA has kernels for.

Knows graphs; knows nothing of precisions, texts or files. Each operator is emitted here, node by node, so that nothing
hangs on whether a tool recognizes a pattern. Nothing in the result computes with sizes at run time, for ONNX Runtime
would place such nodes on the CPU. The operators have CPU kernels too, so the result can be judged without a GPU.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import onnx

from engine_export.activations import gelu_around
from engine_export.attention import Made, SelfAttention, find_attentions, replace_attentions
from engine_export.graph import CONTRIB, Graph, Linear, constant, rebuilt, without_dead
from engine_export.sizes import freeze_sizes, reached_inputs
from engine_runtime.errors import InputError

MASK = "attention_mask"
MASK_INDEX = "mask.index"


@dataclass(frozen=True)
class Fused:
    """A fused graph.

    Attributes
    ----------
    model
        The graph, in float32.
    counts
        How many nodes of each fused operator it has.
    """

    model: onnx.ModelProto
    counts: dict[str, int]


def fuse(model: onnx.ModelProto, longest: int) -> Fused:
    """Fuse an encoder's graph.

    Parameters
    ----------
    model
        Float32, tokens -> pooled vector, with one product for Q, K and V of a layer; padding is on the right.
    longest
        Most tokens of a text; the result takes no more.

    Raises
    ------
    InputError
        Attention, a norm or an activation is of a kind that has no fused operator.
    """
    attentions = find_attentions(model)
    activations = sum(node.op_type == "Erf" for node in model.graph.node)
    fused = fuse_activations(fuse_norms(freeze_sizes(fuse_attentions(model, attentions), longest)))
    counts = Counter(node.op_type for node in fused.graph.node if node.domain == CONTRIB)
    expected = {"Attention": len(attentions), "SkipLayerNormalization": 2 * len(attentions), "BiasGelu": activations}
    if short := {name: number for name, number in expected.items() if counts[name] < number}:
        shown = ", ".join(f"{counts[name]} of {number} {name}" for name, number in short.items())
        raise InputError(
            f"this kind of encoder cannot be fused: only {shown} were found in its graph. Export without fp16; fp32 "
            "runs on CUDA too."
        )
    return Fused(fused, {name: counts[name] for name in expected})


def fuse_attentions(model: onnx.ModelProto, attentions: Iterable[SelfAttention]) -> onnx.ModelProto:
    """Put one Attention node in the place of each self-attention, its linear layer included.

    Raises
    ------
    InputError
        Something is added to the scores that is neither the mask nor a function of the sizes alone.
    """
    return replace_attentions(model, attentions, _mask_index(), _attention)


def _mask_index() -> Made:
    """How long each row is, and where it begins and ends among all positions.

    int32 [3 batch + 2]: the lengths, then the begin of each row of queries and the end of the last, then that of keys.
    It is the one form of a mask that the memory-efficient kernels of CUDA take; the CPU kernel reads the lengths.
    """
    make = onnx.helper.make_node
    nodes = [
        make("Cast", [MASK], ["mask.int"], name="mask/Cast", to=onnx.TensorProto.INT32),
        make("ReduceSum", ["mask.int", "mask.tokens"], ["mask.lengths"], name="mask/ReduceSum", keepdims=0),
        make("Max", ["mask.int", "mask.one"], ["mask.ones"], name="mask/Max"),
        make("ReduceSum", ["mask.ones", "mask.tokens"], ["mask.widths"], name="mask/ReduceSum_1", keepdims=0),
        make("CumSum", ["mask.widths", "mask.first"], ["mask.ends"], name="mask/CumSum"),
        make(
            "Concat",
            ["mask.lengths", "mask.begin", "mask.ends", "mask.begin", "mask.ends"],
            [MASK_INDEX],
            name="mask/Concat",
            axis=0,
        ),
    ]
    tensors = [
        constant("mask.tokens", [1], np.int64),
        constant("mask.one", 1, np.int32),
        constant("mask.first", 0, np.int64),
        constant("mask.begin", [0], np.int32),
    ]
    return nodes, tensors


def _attention(graph: Graph, found: SelfAttention) -> Made:
    reached = {name: reached_inputs(graph, name) for name in found.added}
    biases = [name for name, inputs in reached.items() if not inputs]
    others = [name for name, inputs in reached.items() if inputs and inputs != {MASK}]
    if others or len(biases) > 1 or len(biases) == len(found.added):
        raise InputError(
            f"the attention around {found.name} has no mask, or adds to its scores what depends on the tokens, which "
            "cannot be fused. Export without fp16; fp32 runs on CUDA too."
        )
    weight, bias = f"{found.name}.weight", f"{found.name}.bias"
    node = onnx.helper.make_node(
        "Attention",
        [found.states, weight, bias, MASK_INDEX, *(["", biases[0]] if biases else [])],
        [found.output],
        name=f"{found.name}.fused",
        domain=CONTRIB,
        num_heads=found.heads,
        scale=found.scale,
    )
    return [node], [constant(weight, found.weight), constant(bias, found.bias)]


def fuse_norms(model: onnx.ModelProto) -> onnx.ModelProto:
    """Fuse a linear layer's bias, the addition of the layer's input, and the norm after it into one node."""
    graph = Graph(model)
    linears = {linear.output: linear for linear in graph.linears()}
    nodes = []
    for node in model.graph.node:
        fused = _skip_norm(graph, node, linears) if node.op_type == "LayerNormalization" else None
        nodes.append(fused or node)
    return without_dead(rebuilt(model, nodes))


def _skip_norm(graph: Graph, norm: onnx.NodeProto, linears: dict[str, Linear]) -> onnx.NodeProto | None:
    addition = graph.producers.get(norm.input[0])
    settings = {attribute.name: onnx.helper.get_attribute_value(attribute) for attribute in norm.attribute}
    if addition is None or addition.op_type != "Add" or settings.get("axis", -1) != -1 or len(norm.input) != 3:
        return None
    if graph.only_consumer(norm.input[0]) is None:
        return None
    for part, skip in (list(addition.input), list(addition.input)[::-1]):
        linear = linears.get(part)
        if linear is not None and len(linear.replaces) == 2 and graph.only_consumer(part) is not None:
            return onnx.helper.make_node(
                "SkipLayerNormalization",
                [linear.replaces[0], skip, norm.input[1], norm.input[2], _bias_name(graph, linear)],
                [norm.output[0]],
                name=f"{norm.name}.fused",
                domain=CONTRIB,
                epsilon=settings.get("epsilon", 1e-5),
            )
    return None


def fuse_activations(model: onnx.ModelProto) -> onnx.ModelProto:
    """Fuse a linear layer's bias and the GELU after it, ``x (1 + erf(x / sqrt(2))) / 2``, into one node."""
    graph = Graph(model)
    linears = {linear.output: linear for linear in graph.linears()}
    made: dict[str, onnx.NodeProto] = {}
    for node in model.graph.node:
        found = gelu_around(graph, node) if node.op_type == "Erf" else None
        if found is not None and found[0] in linears and len(linears[found[0]].replaces) == 2:
            linear = linears[found[0]]
            made[found[1]] = onnx.helper.make_node(
                "BiasGelu",
                [linear.replaces[0], _bias_name(graph, linear)],
                [found[1]],
                name=f"{node.name}.fused",
                domain=CONTRIB,
            )
    return without_dead(rebuilt(model, [made.get(node.output[0], node) for node in model.graph.node]))


def _bias_name(graph: Graph, linear: Linear) -> str:
    """Name of the constant that a linear layer adds to its product."""
    addition = graph.producers[linear.replaces[1]]
    return str(addition.input[1] if addition.input[0] == linear.replaces[0] else addition.input[0])
