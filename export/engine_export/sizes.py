"""What a graph computes from the sizes of its inputs alone: found, worked out beforehand, and put in as constants.

Knows graphs; knows nothing of encoders. Position embeddings and relative position biases are such tensors: for a batch
of so many tokens they are the upper left part of what they are for the longest.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import onnx

from engine_export.graph import Graph, constant, reading, rebuilt
from engine_runtime.errors import InputError
from engine_runtime.inference.session import open_session

TOKENS = "sizes.tokens"

# Sizes that were not met in tracing; a part that fits these and the longest fits all.
PROBES = ((1, 3), (2, 5))


def reached_inputs(graph: Graph, name: str) -> set[str]:
    """Inputs of the graph whose values, not only their sizes, the tensor `name` depends on."""
    found, waiting, seen = set[str](), [name], {name}
    inputs = {tensor.name for tensor in graph.model.graph.input}
    while waiting:
        name = waiting.pop()
        node = graph.producers.get(name)
        if name in inputs:
            found.add(name)
        elif node is not None and node.op_type != "Shape":
            new = set(node.input) - seen
            seen |= new
            waiting += new
    return found


def freeze_sizes(model: onnx.ModelProto, longest: int) -> onnx.ModelProto:
    """Put constants in the place of float tensors that depend on the sizes of the inputs alone.

    Parameters
    ----------
    model
        All inputs are [batch, tokens].
    longest
        Most tokens that the result has to take.

    Raises
    ------
    InputError
        Such a tensor is no part of what it is for the longest, or depends on the batch.
    """
    names = _frontier(model)
    if not names:
        return model
    whole = _computed(model, names, 1, longest)
    probes = [(_computed(model, names, *probe), probe[1]) for probe in PROBES]
    first = str(model.graph.input[0].name)
    nodes = [onnx.helper.make_node("Shape", [first], [TOKENS], name="sizes/Shape", start=1, end=2)]
    tensors = [constant("sizes.zero", [0], np.int64)]
    renamed = {}
    for number, name in enumerate(names):
        if whole[name].dtype != np.float32:
            continue  # a shape, which only its own node reads
        axes = [axis for axis, size in enumerate(whole[name].shape) if size != probes[0][0][name].shape[axis]]
        for found, tokens in probes:
            _check_part(name, whole[name], found[name], axes, tokens)
        renamed[name] = f"sizes.{number}"
        new_nodes, new_tensors = _cut(renamed[name], whole[name], axes)
        nodes += new_nodes
        tensors += new_tensors
    for node in model.graph.node:
        if node.output[0] not in renamed:
            nodes.append(reading(node, renamed))
    return rebuilt(model, nodes, tensors)


def _frontier(model: onnx.ModelProto) -> list[str]:
    """Tensors that depend on sizes alone and are read by nodes that depend on more, each once."""
    graph = Graph(model)
    valued = {tensor.name for tensor in model.graph.input}
    sized, found = set[str](), dict[str, None]()
    for node in model.graph.node:
        if node.op_type == "Shape" or (sized & set(node.input) and not valued & set(node.input)):
            sized |= set(node.output)
        elif valued & set(node.input):
            valued |= set(node.output)
            found |= dict.fromkeys(name for name in node.input if name in sized and graph.constant(name) is None)
    return list(found)


def _computed(
    model: onnx.ModelProto, names: Sequence[str], batch: int, tokens: int
) -> dict[str, npt.NDArray[np.generic]]:
    # Only the names of outputs are needed: ONNX Runtime works out the rest.
    probed = rebuilt(model, model.graph.node, outputs=[onnx.ValueInfoProto(name=name) for name in names])
    feed = {tensor.name: np.zeros((batch, tokens), np.int64) for tensor in model.graph.input}
    return dict(zip(names, open_session(probed.SerializeToString()).run(list(names), feed), strict=True))


def _check_part(
    name: str, whole: npt.NDArray[np.generic], found: npt.NDArray[np.generic], axes: Sequence[int], tokens: int
) -> None:
    part = whole[tuple(slice(tokens) if axis in axes else slice(None) for axis in range(whole.ndim))]
    if found.shape[1:] != part.shape[1:] or not np.allclose(found, part, rtol=0, atol=1e-6):
        raise InputError(
            f"the tensor {name} of the graph depends on the sizes of a batch in a way that cannot be fused. "
            "Export without fp16; fp32 runs on CUDA too."
        )


def _cut(
    name: str, whole: npt.NDArray[np.generic], axes: Sequence[int]
) -> tuple[list[onnx.NodeProto], list[onnx.TensorProto]]:
    """A constant, and the nodes that cut it to the tokens of the batch; no cut where all its rows are the same."""
    for axis in axes:
        first = whole.take([0], axis)
        if (whole == first).all():
            whole, axes = first, [other for other in axes if other != axis]
    steps = [f"{name}.whole", *(f"{name}.{axis}" for axis in axes[:-1]), name]
    if not axes:
        return [], [constant(name, whole)]
    nodes = [
        onnx.helper.make_node("Slice", [source, "sizes.zero", TOKENS, f"{name}.axis{axis}"], [target], name=target)
        for axis, source, target in zip(axes, steps, steps[1:], strict=False)
    ]
    return nodes, [constant(steps[0], whole), *(constant(f"{name}.axis{axis}", [axis], np.int64) for axis in axes)]
