"""From a float32 graph and a plan for its linear layers to an int8 graph.

Knows graphs and integers; knows nothing of calibration data or of which plan is best. Each planned layer becomes
``QuantizeLinear -> MatMulIntegerToFloat`` (com.microsoft): an integer product whose result and bias are float32.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import onnx

from engine_export.folding import fold
from engine_export.graph import CONTRIB, Graph, constant, floats, rebuilt
from engine_export.plan import LinearPlan
from engine_export.scales import quantize_rows


def quantize_linears(model: onnx.ModelProto, plans: Sequence[LinearPlan]) -> onnx.ModelProto:
    """Replace the planned layers; what shifts and divides their activations is folded away where it can be."""
    model, plans = fold(model, plans)
    starts = {plan.linear.replaces[0]: plan for plan in plans}
    gone = {name for plan in plans for name in plan.linear.replaces}
    nodes: list[onnx.NodeProto] = []
    tensors: list[onnx.TensorProto] = []
    quantized = set[str]()
    for node in model.graph.node:
        if plan := starts.get(node.output[0]):
            if plan.linear.activation not in quantized:
                quantized.add(plan.linear.activation)
                _append(nodes, tensors, activation_nodes(plan))
            _append(nodes, tensors, product_nodes(plan, plan.linear.output))
        elif node.output[0] not in gone:
            nodes.append(node)
    return rebuilt(model, nodes, tensors)


def activation_nodes(plan: LinearPlan) -> tuple[list[onnx.NodeProto], list[onnx.TensorProto]]:
    """Nodes that turn a layer's activation into u8, once for all layers that read it."""
    make = onnx.helper.make_node
    name = plan.linear.activation
    tensors = [constant(f"{name}.scale", plan.scale), constant(f"{name}.zero", plan.zero_point)]
    nodes, read = [], name
    if not plan.folded and plan.shift.any():
        nodes.append(make("Sub", [read, f"{name}.shift"], [f"{name}.shifted"], name=f"{name}.shifted"))
        tensors.append(constant(f"{name}.shift", plan.shift))
        read = f"{name}.shifted"
    if not plan.folded and (plan.factors != 1).any():
        nodes.append(make("Mul", [read, f"{name}.factors"], [f"{name}.divided"], name=f"{name}.divided"))
        tensors.append(constant(f"{name}.factors", 1 / plan.factors))
        read = f"{name}.divided"
    nodes.append(make("QuantizeLinear", [read, f"{name}.scale", f"{name}.zero"], [f"{name}.u8"], name=f"{name}.u8"))
    return nodes, tensors


def product_nodes(plan: LinearPlan, output: str) -> tuple[list[onnx.NodeProto], list[onnx.TensorProto]]:
    """The integer product of a layer, with its result in the tensor `output`."""
    activation, name = plan.linear.activation, plan.linear.name
    inputs = [
        *(f"{activation}.u8", f"{name}.s8", f"{activation}.scale", f"{name}.scales"),
        *(f"{activation}.zero", "", f"{name}.bias8"),
    ]
    shown = name if output == plan.linear.output else output  # names of nodes are unique too
    node = onnx.helper.make_node("MatMulIntegerToFloat", inputs, [output], name=shown, domain=CONTRIB)
    tensors = [
        constant(f"{name}.s8", plan.weight),
        constant(f"{name}.scales", plan.weight_scales),
        constant(f"{name}.bias8", plan.bias),
    ]
    return [node], tensors


def with_shadows(model: onnx.ModelProto, plans: Sequence[LinearPlan]) -> onnx.ModelProto:
    """The float32 graph with the int8 form of each layer beside it, on the same input.

    Its outputs are, for each plan in turn: the sum of the layer's errors by column, float32 [out]; the sum of squared
    errors; the sum of squared results; and the number of rows.
    """
    make = onnx.helper.make_node
    nodes, tensors, outputs = list(model.graph.node), [constant("shadow.rows", [0], np.int64)], []
    quantized = set[str]()
    for plan in (replace(plan, folded=False) for plan in plans):
        if plan.linear.activation not in quantized:
            quantized.add(plan.linear.activation)
            _append(nodes, tensors, activation_nodes(plan))
        name, width = plan.linear.name, len(plan.bias)
        parts = ("result", "error", "flat", "shape", "sum", "squares", "power", "size")
        result, error, flat, shape, summed, squares, power, size = (f"{name}.shadow.{part}" for part in parts)
        _append(nodes, tensors, product_nodes(plan, result))
        tensors.append(constant(shape, [-1, width], np.int64))
        nodes += [
            make("Sub", [plan.linear.output, result], [error]),
            make("Reshape", [error, shape], [flat]),
            make("ReduceSum", [flat, "shadow.rows"], [summed], keepdims=0),
            make("ReduceSumSquare", [error], [squares], keepdims=0),
            make("ReduceSumSquare", [plan.linear.output], [power], keepdims=0),
            make("Size", [flat], [size]),
        ]
        outputs += [floats(summed, width), floats(squares), floats(power)]
        outputs.append(onnx.helper.make_tensor_value_info(size, onnx.TensorProto.INT64, []))
    return rebuilt(model, nodes, tensors, outputs)


def quantize_tables(model: onnx.ModelProto, least: int) -> onnx.ModelProto:
    """Store the tables that rows are gathered from as int8 with a scale a row, where they have `least` numbers."""
    graph = Graph(model)
    nodes, tensors = [], []
    for node in model.graph.node:
        table = graph.constant(node.input[0]) if node.op_type == "Gather" else None
        if table is None or table.dtype != np.float32 or table.ndim != 2 or table.size < least or _axis(node):
            nodes.append(node)
            continue
        integers, scales = quantize_rows(table)
        name, rows, output = node.input[0], node.input[1], node.output[0]
        make = onnx.helper.make_node
        nodes += [
            make("Gather", [f"{name}.s8", rows], [f"{output}.s8"], name=node.name),
            make(
                "Cast",
                [f"{output}.s8"],
                [f"{output}.cast"],
                name=f"{node.name}.Cast",
                to=onnx.TensorProto.FLOAT,
            ),
            make("Gather", [f"{name}.scales", rows], [f"{output}.scale"], name=f"{node.name}.scales"),
            make("Mul", [f"{output}.cast", f"{output}.scale"], [output], name=f"{node.name}.Mul"),
        ]
        tensors += [constant(f"{name}.s8", integers), constant(f"{name}.scales", scales[:, None])]
    return rebuilt(model, nodes, tensors)


def _axis(node: onnx.NodeProto) -> int:
    return next((attribute.i for attribute in node.attribute if attribute.name == "axis"), 0)


def _append(
    nodes: list[onnx.NodeProto],
    tensors: list[onnx.TensorProto],
    made: tuple[list[onnx.NodeProto], list[onnx.TensorProto]],
) -> None:
    nodes += made[0]
    tensors += made[1]
