"""An ONNX graph as something to look things up in and to rebuild.

Knows nodes, constants and linear layers; knows nothing of models, texts or quantization. Functions take a model and
give a new one; the one given is never changed. A node is identified by its first output, which is unique in a graph.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import numpy_helper

Floats = npt.NDArray[np.float32]

CONTRIB = "com.microsoft"


@dataclass(frozen=True)
class Linear:
    """A product with a constant matrix, and the constant that is added to it.

    Attributes
    ----------
    name
        Name of the node that multiplies.
    activation
        Tensor that is multiplied, [.., in].
    weight
        float32 [in, out].
    bias
        float32 [out]; None where nothing is added.
    output
        Tensor that holds the result, bias included.
    replaces
        First outputs of the nodes that make it up, the product first.
    """

    name: str
    activation: str
    weight: Floats
    bias: Floats | None
    output: str
    replaces: tuple[str, ...]

    @property
    def shift(self) -> Floats:
        """The bias, 0 where there is none: float32 [out]."""
        return np.zeros(self.weight.shape[1], np.float32) if self.bias is None else self.bias


class Graph:
    """Producers, consumers and constants of a model's main graph.

    Parameters
    ----------
    model
        The model to look into; it must not change while this is in use.
    """

    def __init__(self, model: onnx.ModelProto) -> None:
        self.model = model
        self.outputs = {output.name for output in model.graph.output}
        self.producers: dict[str, onnx.NodeProto] = {}
        self.consumers: dict[str, list[onnx.NodeProto]] = defaultdict(list)
        self._constants = {tensor.name: tensor for tensor in model.graph.initializer}
        for node in model.graph.node:
            for name in set(_inputs(node)):
                self.consumers[name].append(node)
            for name in node.output:
                self.producers[name] = node
            if node.op_type == "Constant" and node.attribute[0].name == "value":
                self._constants[node.output[0]] = node.attribute[0].t

    def constant(self, name: str) -> npt.NDArray[Any] | None:
        """Value of the tensor `name`, or None where it is computed."""
        while (node := self.producers.get(name)) is not None and node.op_type == "Identity":
            name = node.input[0]  # a tracer shares equal constants this way
        tensor = self._constants.get(name)
        return None if tensor is None else numpy_helper.to_array(tensor)

    def only_consumer(self, name: str) -> onnx.NodeProto | None:
        """The one node that reads the tensor `name`; None where there are several, or where it leaves the graph."""
        found = self.consumers[name]
        return found[0] if len(found) == 1 and name not in self.outputs else None

    def linears(self) -> list[Linear]:
        """Every product with a constant float32 matrix, in the order of the graph."""
        found = (self._linear(node) for node in self.model.graph.node if node.op_type in {"MatMul", "Gemm"})
        return [linear for linear in found if linear is not None]

    def _linear(self, node: onnx.NodeProto) -> Linear | None:
        weight = self.constant(node.input[1])
        if weight is None or weight.ndim != 2 or weight.dtype != np.float32:
            return None
        if node.op_type == "Gemm":
            return self._gemm(node, weight)
        name, activation, product = node.name or node.output[0], node.input[0], node.output[0]
        adding = self.only_consumer(product)
        bias = None if adding is None or adding.op_type != "Add" else self._other_constant(adding, product)
        if adding is None or bias is None or bias.shape != (weight.shape[1],):
            return Linear(name, activation, weight, None, product, (product,))
        return Linear(name, activation, weight, bias, adding.output[0], (product, adding.output[0]))

    def _gemm(self, node: onnx.NodeProto, weight: npt.NDArray[np.float32]) -> Linear | None:
        settings = {attribute.name: onnx.helper.get_attribute_value(attribute) for attribute in node.attribute}
        plain = settings.get("transA", 0) == 0 and settings.get("alpha", 1.0) == settings.get("beta", 1.0) == 1.0
        matrix = np.ascontiguousarray(weight.T) if settings.get("transB", 0) else weight
        bias = self.constant(node.input[2]) if len(node.input) > 2 else None
        if not plain or (len(node.input) > 2 and (bias is None or bias.shape != (matrix.shape[1],))):
            return None
        added = None if bias is None else bias.astype(np.float32)
        return Linear(node.name or node.output[0], node.input[0], matrix, added, node.output[0], (node.output[0],))

    def _other_constant(self, node: onnx.NodeProto, name: str) -> Floats | None:
        other = node.input[1] if node.input[0] == name else node.input[0]
        value = self.constant(other)
        return None if value is None else value.astype(np.float32)


def rebuilt(
    model: onnx.ModelProto,
    nodes: Iterable[onnx.NodeProto],
    constants: Iterable[onnx.TensorProto] = (),
    outputs: Sequence[onnx.ValueInfoProto] | None = None,
) -> onnx.ModelProto:
    """A model with other nodes.

    Parameters
    ----------
    model
        Gives inputs, constants and versions.
    nodes
        All nodes of the new graph, in an order in which each comes after what it reads.
    constants
        Tensors added to those of `model`; a constant that no node reads is left out.
    outputs
        Outputs of the new graph; those of `model` if None.
    """
    nodes = list(nodes)
    kept_outputs = list(model.graph.output if outputs is None else outputs)
    used = {name for node in nodes for name in _inputs(node)} | {output.name for output in kept_outputs}
    tensors = [tensor for tensor in (*model.graph.initializer, *constants) if tensor.name in used]
    graph = onnx.helper.make_graph(nodes, model.graph.name, list(model.graph.input), kept_outputs, tensors)
    versions = {opset.domain: opset.version for opset in model.opset_import} | {CONTRIB: 1}
    opsets = [onnx.helper.make_opsetid(domain, version) for domain, version in versions.items()]
    return onnx.helper.make_model(graph, opset_imports=opsets, ir_version=model.ir_version, producer_name="")


def with_linears(
    model: onnx.ModelProto,
    layers: Iterable[Linear],
    label: str,
    after: Mapping[str, onnx.NodeProto] | None = None,
    constants: Iterable[onnx.TensorProto] = (),
) -> onnx.ModelProto:
    """A model with other linear layers in the places of some.

    Parameters
    ----------
    model
        Has the layers in their old form.
    layers
        In their new form; name, output and what they replace are those of the old one.
    label
        Part of the names of the new constants.
    after
        Nodes that are put right after the tensors by whose name they stand here.
    constants
        Tensors that those nodes read.
    """
    make = onnx.helper.make_node
    starts = {layer.replaces[0]: layer for layer in layers}
    gone = {name for layer in starts.values() for name in layer.replaces}
    nodes, tensors = [], list(constants)
    for node in model.graph.node:
        name = node.output[0]
        if layer := starts.get(name):
            weight, bias, product = (f"{layer.name}.{label}.{part}" for part in ("weight", "bias", "product"))
            nodes += [
                make("MatMul", [layer.activation, weight], [product], name=layer.name),
                make("Add", [product, bias], [layer.output], name=f"{layer.name}.Add"),
            ]
            tensors += [constant(weight, layer.weight), constant(bias, layer.shift)]
        elif name not in gone:
            nodes.append(node)
        if after and name in after:
            nodes.append(after[name])
    return rebuilt(model, nodes, tensors)


def without_dead(model: onnx.ModelProto) -> onnx.ModelProto:
    """The graph without nodes that no output needs."""
    needed = {output.name for output in model.graph.output}
    kept = []
    for node in reversed(model.graph.node):
        if needed & set(node.output):
            kept.append(node)
            needed |= set(node.input)
    return rebuilt(model, reversed(kept))


def reading(node: onnx.NodeProto, renamed: Mapping[str, str]) -> onnx.NodeProto:
    """The node with other names for the tensors that it reads."""
    changed = onnx.NodeProto()
    changed.CopyFrom(node)
    for place, name in enumerate(node.input):
        changed.input[place] = renamed.get(name, name)
    return changed


def constant(name: str, value: npt.ArrayLike, dtype: npt.DTypeLike | None = None) -> onnx.TensorProto:
    """A constant of a graph."""
    return numpy_helper.from_array(np.asarray(value, dtype, order="C"), name)


def floats(name: str, *shape: str | int) -> onnx.ValueInfoProto:
    """A float32 output of a graph; a name stands for a size that may change."""
    return onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, list(shape))


def _inputs(node: onnx.NodeProto) -> Iterator[str]:
    yield from node.input
    for attribute in node.attribute:
        for inner in [attribute.g] if attribute.type == onnx.AttributeProto.GRAPH else attribute.graphs:
            for inner_node in inner.node:
                yield from _inputs(inner_node)
            yield from (output.name for output in inner.output)
