"""Loud channels of an activation function's result, cut into slices, so that one step of integers is fine for all.

Knows graphs and ranges; knows nothing of integers. After a norm or attention a loud channel is divided for nothing
(`folding`); after an activation function that would take a product over the widest tensor of the network. But a
function that is nearly 0 below zero and its argument above it, such as GELU, is nearly a sum of slices of itself::

    f(x) = min(f(x), r) + min(f(x - r), r) + min(f(x - 2 r), r) + ..

Each slice is one more column of the layer before and, with the same weights, one more row of the layer after. Integers
saturate at ``r``, so the minimum costs nothing. Outlier Channel Splitting (arXiv 1901.09504) doubles channels too, but
halves the value of each, which a function in between does not allow; here it is the argument that is moved.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import onnx

from engine_export.graph import Floats, Graph, Linear, constant, with_linears
from engine_export.scales import ChannelRange

EXTRA = 16
"""Most slices added to one activation: as many columns as an integer kernel takes at a time."""

SLICES = ".slices"

POINTWISE = frozenset(
    {"Add", "Clip", "Div", "Erf", "Gelu", "HardSigmoid", "Mul", "Pow", "QuickGelu", "Relu", "Sigmoid", "Sub", "Tanh"}
)


@dataclass(frozen=True)
class Function:
    """An activation function between planned layers.

    Attributes
    ----------
    maker
        The layer before.
    readers
        The layers after; nothing else reads the function's result.
    """

    maker: Linear
    readers: Sequence[Linear]


def functions(graph: Graph, groups: Mapping[str, Sequence[Linear]]) -> dict[str, Function]:
    """Activations that are a function, number by number, of one planned layer's result.

    Parameters
    ----------
    graph
        The graph.
    groups
        The planned layers by the activation that they read.
    """
    makers = {linear.output: linear for group in groups.values() for linear in group}
    found = {}
    for name, readers in groups.items():
        maker = _maker(graph, name, makers)
        own = {linear.replaces[0] for linear in readers}
        if maker is not None and {node.output[0] for node in graph.consumers[name]} == own:
            found[name] = Function(maker, readers)
    return found


def split_loud_channels(
    model: onnx.ModelProto, found: Mapping[str, Function], ranges: Mapping[str, ChannelRange]
) -> onnx.ModelProto:
    """Cut the loud channels of some activations into slices; the result of the graph hardly changes.

    The layers keep their names; those after a function read the tensor ``NAME`` + `SLICES`.
    """
    wider: dict[str, Linear] = {}
    clips: dict[str, onnx.NodeProto] = {}
    tensors: list[onnx.TensorProto] = []
    for name, function in found.items():
        high = ranges[name].high
        height = slice_height(high)
        extra = slices(high, height)
        source = np.repeat(np.arange(len(extra)), extra)
        number = np.concatenate([np.arange(1, count + 1) for count in extra])
        maker = wider.get(function.maker.output, function.maker)
        bias = maker.shift
        wider[maker.output] = replace(
            maker,
            weight=np.hstack([maker.weight, maker.weight[:, source]]),
            bias=np.concatenate([bias, bias[source] - number * height]).astype(np.float32),
        )
        for reader in (wider.get(reader.output, reader) for reader in function.readers):
            weight = np.vstack([reader.weight, reader.weight[source]])
            wider[reader.output] = replace(reader, activation=f"{name}{SLICES}", weight=weight, bias=reader.shift)
        inputs = [name, "", f"{name}.height"]
        clips[name] = onnx.helper.make_node("Clip", inputs, [f"{name}{SLICES}"], name=f"{name}{SLICES}")
        tensors.append(constant(f"{name}.height", height, np.float32))
    return with_linears(model, wider.values(), "sliced", clips, tensors)


def slice_height(high: Floats, extra: int = EXTRA) -> float:
    """Least height of a slice for which at most `extra` slices are added to one a channel.

    Parameters
    ----------
    high
        Greatest value of each channel, float32 [channels].
    extra
        The most.
    """
    heights = np.unique(np.concatenate([high / parts for parts in range(1, extra + 2)]))
    return float(next((each for each in heights[heights > 0] if slices(high, each).sum() <= extra), 1.0))


def slices(high: Floats, height: float) -> npt.NDArray[np.int64]:
    """Slices that each channel needs beyond its first: int64 [channels]."""
    # A channel that is a whole number of slices high needs no further one for the last digit.
    return np.asarray(np.maximum(np.ceil(high / height - 1e-6) - 1, 0), np.int64)


def _maker(graph: Graph, name: str, makers: Mapping[str, Linear]) -> Linear | None:
    """The layer of whose result `name` is a function, number by number; None where there is no such layer."""
    if name in makers or name in graph.outputs:
        return None
    inside, sources, waiting = set[str](), set[str](), [name]
    while waiting:
        each = waiting.pop()
        if each in makers:
            sources.add(each)
            continue
        node = graph.producers.get(each)
        if node is None or node.op_type not in POINTWISE:
            return None
        inside.add(each)
        constants = {given: graph.constant(given) for given in node.input if given}
        if any(value is not None and value.size != 1 for value in constants.values()):
            return None
        waiting += [given for given, value in constants.items() if value is None and given not in inside]
    read = {node.output[0] for each in (sources | inside) - {name} for node in graph.consumers[each]}
    return makers[sources.pop()] if len(sources) == 1 and read <= inside else None
