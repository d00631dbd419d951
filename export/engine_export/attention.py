"""Finding self-attention in a traced graph, whatever the encoder is called.

Knows graphs; knows nothing of precisions or of what is made of an attention that was found. A tracer spells attention
out as: a linear layer for Q, K and V, Split, Reshape and Transpose of each, Q times K, scale, added terms, Softmax,
times V, Transpose, Reshape.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import onnx

from engine_export.graph import Floats, Graph, Linear, rebuilt, without_dead
from engine_runtime.errors import InputError

HEADS_FIRST = [0, 2, 1, 3]
KEYS_TURNED = [0, 2, 3, 1]

Made = tuple[list[onnx.NodeProto], list[onnx.TensorProto]]


@dataclass(frozen=True)
class SelfAttention:
    """Attention over one layer's states.

    Attributes
    ----------
    name
        Name of its Softmax node.
    states
        Tensor that queries, keys and values are made of, [batch, tokens, width].
    weight, bias
        Of the linear layer that makes them, in this order: float32 [width, 3 heads], [3 heads].
    heads
        Number of heads.
    scale
        What products of queries and keys are multiplied with.
    added
        Tensors that are added to the scaled products, [1 or batch, 1 or heads, 1 or tokens, tokens].
    output
        Tensor that holds the heads' results side by side, [batch, tokens, heads].
    """

    name: str
    states: str
    weight: Floats
    bias: Floats
    heads: int
    scale: float
    added: tuple[str, ...]
    output: str


def find_attentions(model: onnx.ModelProto) -> list[SelfAttention]:
    """Find every self-attention of a graph, in its order.

    Raises
    ------
    InputError
        The graph has no Softmax, or one that is not part of self-attention as described above.
    """
    graph = Graph(model)
    softmaxes = [node for node in model.graph.node if node.op_type == "Softmax"]
    if not softmaxes:
        raise InputError("no attention was found in the graph: it has no Softmax. Export fp32, which runs on CUDA too.")
    linears = {linear.output: linear for linear in graph.linears()}
    return [_around(graph, softmax, linears) for softmax in softmaxes]


def replace_attentions(
    model: onnx.ModelProto,
    attentions: Iterable[SelfAttention],
    first: Made,
    made: Callable[[Graph, SelfAttention], Made],
) -> onnx.ModelProto:
    """Put other nodes in the place of each self-attention, its linear layer included.

    Parameters
    ----------
    model
        Has the attentions.
    attentions
        From `find_attentions`.
    first
        Nodes and constants that come before all others.
    made
        Gives nodes and constants for one of them; the last node makes its `output`.
    """
    graph = Graph(model)
    by_output = {attention.output: attention for attention in attentions}
    nodes, tensors = list(first[0]), list(first[1])
    for node in model.graph.node:
        if node.output[0] in by_output:
            new_nodes, new_tensors = made(graph, by_output[node.output[0]])
            nodes += new_nodes
            tensors += new_tensors
        else:
            nodes.append(node)
    return without_dead(rebuilt(model, nodes, tensors))


def _around(graph: Graph, softmax: onnx.NodeProto, linears: dict[str, Linear]) -> SelfAttention:
    mixing = _only(graph, softmax, softmax.output[0], "MatMul")
    turned = _only(graph, softmax, mixing.output[0], "Transpose", HEADS_FIRST)
    flat = _only(graph, softmax, turned.output[0], "Reshape")
    product, scale, added = _scores(graph, softmax)
    queries, shape = _heads(graph, softmax, product.input[0], HEADS_FIRST)
    parts = [
        queries,
        _heads(graph, softmax, product.input[1], KEYS_TURNED)[0],
        _heads(graph, softmax, mixing.input[1], HEADS_FIRST)[0],
    ]
    split = graph.producers.get(queries)
    if split is None or split.op_type != "Split" or list(split.output) != parts or split.input[0] not in linears:
        raise _unlike(softmax, "queries, keys and values are not three parts of one linear layer")
    linear = linears[split.input[0]]
    sizes = graph.constant(split.input[1])
    if linear.bias is None or sizes is None or len(set(sizes.tolist())) != 1:
        raise _unlike(softmax, "queries, keys and values differ in width, or have no bias")
    return SelfAttention(
        softmax.name, linear.activation, linear.weight, linear.bias, shape[2], scale, added, flat.output[0]
    )


def _scores(graph: Graph, softmax: onnx.NodeProto) -> tuple[onnx.NodeProto, float, tuple[str, ...]]:
    """The product of queries and keys behind a Softmax, its scale, and what is added to it."""
    name, scale, added = softmax.input[0], 1.0, list[str]()
    while (node := graph.producers.get(name)) is not None and node.op_type in {"Add", "Div", "Mul"}:
        factor = graph.constant(node.input[1])
        if node.op_type == "Add":
            onward = [_leads_to_product(graph, part) for part in node.input]
            if onward[0] == onward[1] or scale != 1.0:
                raise _unlike(softmax, "it is not clear what is added to its scores")
            added.append(node.input[1 if onward[0] else 0])
            name = node.input[0 if onward[0] else 1]
        elif factor is None or factor.size != 1:
            raise _unlike(softmax, "its scores are scaled by something that is computed")
        else:
            scale *= float(factor) if node.op_type == "Mul" else 1 / float(factor)
            name = node.input[0]
    if node is None or node.op_type != "MatMul":
        raise _unlike(softmax, "its scores are no product of queries and keys")
    return node, scale, tuple(reversed(added))


def _leads_to_product(graph: Graph, name: str) -> bool:
    """Whether scale and further terms lead from a tensor back to a product."""
    node = graph.producers.get(name)
    if node is None or node.op_type not in {"Add", "Div", "Mul", "MatMul"}:
        return False
    return node.op_type == "MatMul" or any(_leads_to_product(graph, part) for part in node.input)


def _heads(graph: Graph, softmax: onnx.NodeProto, name: str, order: Sequence[int]) -> tuple[str, list[int]]:
    """The tensor whose columns the heads in `name` are, and the shape that cut it into heads; -1 for a free size."""
    turn = graph.producers.get(name)
    if turn is None or turn.op_type != "Transpose" or _order(turn) != list(order):
        raise _unlike(softmax, "its heads are not transposed as expected")
    cut = graph.producers.get(turn.input[0])
    shape = [] if cut is None or cut.op_type != "Reshape" else _sizes(graph, cut.input[1])
    if cut is None or len(shape) != 4 or shape[2] < 1:
        raise _unlike(softmax, "the number of its heads is not written in the graph")
    return cut.input[0], shape


def _sizes(graph: Graph, name: str) -> list[int]:
    """A shape as far as it is constant, -1 where it is computed."""
    known = graph.constant(name)
    if known is not None:
        return [int(size) for size in known]
    made = graph.producers.get(name)
    if made is None or made.op_type != "Concat":
        return []
    return [-1 if (part := graph.constant(piece)) is None else int(part.item()) for piece in made.input]


def _only(
    graph: Graph, softmax: onnx.NodeProto, name: str, operation: str, order: Sequence[int] | None = None
) -> onnx.NodeProto:
    """The one node that reads the values of `name`, not its shape, where it is the expected one."""
    found = [node for node in graph.consumers[name] if node.op_type != "Shape"]
    right = len(found) == 1 and found[0].op_type == operation and (order is None or _order(found[0]) == list(order))
    if not right or name in graph.outputs:
        raise _unlike(softmax, f"its results do not go on to {operation}")
    return found[0]


def _order(node: onnx.NodeProto) -> list[int]:
    return list(onnx.helper.get_node_attr_value(node, "perm"))


def _unlike(softmax: onnx.NodeProto, why: str) -> InputError:
    return InputError(
        f"the attention around {softmax.name} is of a kind that cannot be fused: {why}. "
        "Export without fp16; fp32 runs on CUDA too."
    )
