"""An encoder's graph for batches of texts of one length: no mask, no padding, and tokens before texts.

Knows graphs; knows nothing of precisions, texts or files. Inside, states lie as [tokens, batch, width]: a head of all
texts is then a matrix with a fixed stride, so queries, keys and values need no transposition before their products.
Queries, keys and values are three products on one input, for a split of one product would copy all of them.
"""

from __future__ import annotations

import numpy as np
import onnx

from engine_export.attention import Made, SelfAttention, find_attentions, replace_attentions
from engine_export.graph import CONTRIB, Graph, constant, reading, rebuilt
from engine_export.sizes import freeze_sizes, reached_inputs
from engine_runtime.errors import InputError

IDS, MASK, TYPES = "input_ids", "attention_mask", "token_type_ids"


def unpadded(model: onnx.ModelProto, longest: int) -> onnx.ModelProto:
    """Rewrite an encoder's graph for batches without padding.

    Parameters
    ----------
    model
        Float32, tokens -> states [batch, tokens, width], with one product for Q, K and V of a layer.
    longest
        Most tokens of a text; the result takes no more.

    Returns
    -------
    onnx.ModelProto
        int64 ``input_ids`` [batch, tokens] -> states [tokens, batch, width].

    Raises
    ------
    InputError
        Attention is of a kind that is not understood, or something else than attention depends on the mask.
    """
    model = freeze_sizes(_with_first_type(model), longest)  # before sizes mean something else
    attentions = find_attentions(model)
    model = replace_attentions(model, attentions, _square_shapes({each.heads for each in attentions}), _attention)
    model = _with_tokens_first(model, attentions[0].states)
    graph = Graph(model)
    if reached := set().union(*(reached_inputs(graph, output.name) for output in model.graph.output)) - {IDS}:
        raise InputError(f"the encoder needs {', '.join(sorted(reached))} elsewhere than in attention.")
    kept = [tensor for tensor in model.graph.input if tensor.name == IDS]
    del model.graph.input[:]
    model.graph.input.extend(kept)
    return model


def _with_first_type(model: onnx.ModelProto) -> onnx.ModelProto:
    """The first row in the place of a table that is looked up by type: a text alone is all of the first type."""
    graph = Graph(model)
    nodes, tensors = [], []
    renamed = dict[str, str]()
    for node in model.graph.node:
        table = graph.constant(node.input[0]) if node.op_type == "Gather" and node.input[1] == TYPES else None
        if table is None:
            nodes.append(node)
        else:
            renamed[node.output[0]] = f"{node.output[0]}.first"
            tensors.append(constant(renamed[node.output[0]], table[0]))
    return rebuilt(model, [reading(node, renamed) for node in nodes], tensors)


def _square_shapes(heads: set[int]) -> Made:
    """Shapes of scores, with and without the heads of a text apart; those that nothing reads fall away."""
    make = onnx.helper.make_node
    nodes = [
        make("Shape", [IDS], ["square.tokens"], name="square/Shape", start=1, end=2),
        make("Concat", ["square.all", *["square.tokens"] * 2], ["square.flat"], name="square/Concat", axis=0),
    ]
    tensors = [constant("square.all", [-1], np.int64)]
    for number in sorted(heads):
        parts = ["square.all", f"square.heads{number}", *["square.tokens"] * 2]
        nodes.append(make("Concat", parts, [f"square.{number}"], name=f"square/Concat{number}", axis=0))
        tensors.append(constant(f"square.heads{number}", [number], np.int64))
    return nodes, tensors


def _attention(graph: Graph, found: SelfAttention) -> Made:
    """Attention on states [tokens, batch, width]; its result lies the same way."""
    make = onnx.helper.make_node
    name, width = found.name, found.weight.shape[1] // 3
    nodes, tensors = (
        [],
        [
            constant(f"{name}.cut", [0, -1, width // found.heads], np.int64),
            constant(f"{name}.joined", [0, -1, width], np.int64),
        ],
    )
    for number, part in enumerate(("queries", "keys", "values")):
        columns = slice(number * width, (number + 1) * width)
        tensors += [
            constant(f"{name}.{part}.weight", found.weight[:, columns]),
            constant(f"{name}.{part}.bias", found.bias[columns]),
        ]
        nodes += [
            make("MatMul", [found.states, f"{name}.{part}.weight"], [f"{name}.{part}.product"], name=f"{name}.{part}"),
            make("Add", [f"{name}.{part}.product", f"{name}.{part}.bias"], [f"{name}.{part}.sum"]),
            make("Reshape", [f"{name}.{part}.sum", f"{name}.cut"], [f"{name}.{part}"]),
        ]
    turned = {"transBatchA": 1, "transBatchB": 1, "transB": 1, "alpha": found.scale}
    nodes.append(_product(f"{name}.queries", f"{name}.keys", f"{name}.scores", **turned))
    new_nodes, scores = _biased(graph, found)
    nodes += [
        *new_nodes,
        make("Softmax", [scores], [f"{name}.weights"], name=name, axis=-1),
        _product(f"{name}.weights", f"{name}.values", f"{name}.mixed", transBatchB=1),
        make("Transpose", [f"{name}.mixed"], [f"{name}.turned"], perm=[1, 0, 2]),
        make("Reshape", [f"{name}.turned", f"{name}.joined"], [found.output]),
    ]
    return nodes, tensors


def _product(left: str, right: str, output: str, **settings: float) -> onnx.NodeProto:
    node = onnx.helper.make_node("FusedMatMul", [left, right], [output], name=output, domain=CONTRIB)
    node.attribute.extend(onnx.helper.make_attribute(name, value) for name, value in settings.items())
    return node


def _biased(graph: Graph, found: SelfAttention) -> tuple[list[onnx.NodeProto], str]:
    """Nodes that add to the scores what depends on the sizes alone, and the name of the result; the mask goes."""
    name, scores = found.name, f"{found.name}.scores"
    biases = [added for added in found.added if reached_inputs(graph, added) != {MASK}]
    if not biases:
        return [], scores
    make = onnx.helper.make_node
    nodes = [make("Reshape", [scores, f"square.{found.heads}"], [f"{scores}.0"])]
    for number, bias in enumerate(biases):
        nodes.append(make("Add", [f"{scores}.{number}", bias], [f"{scores}.{number + 1}"]))
    nodes.append(make("Reshape", [f"{scores}.{len(biases)}", "square.flat"], [f"{name}.biased"]))
    return nodes, f"{name}.biased"


def _with_tokens_first(model: onnx.ModelProto, states: str) -> onnx.ModelProto:
    """Turn the states that the first attention reads; all that comes after works on one token at a time.

    A norm works so too, and what it gives has to stay what the layers read: they may share scales with it.
    """
    maker = Graph(model).producers[states]
    before = maker.input[0] if maker.op_type == "LayerNormalization" else states
    nodes = []
    for node in model.graph.node:
        nodes.append(reading(node, {before: f"{before}.turned"}))
        if before in node.output:
            nodes.append(onnx.helper.make_node("Transpose", [before], [f"{before}.turned"], perm=[1, 0, 2]))
    return rebuilt(model, nodes)
