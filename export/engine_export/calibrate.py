"""Running graphs on real data: feeds of texts, and what the tensors inside a graph hold.

Knows sessions and feeds; knows nothing of how a graph is quantized. Rows of equal length share a batch, so padding
never widens a range. Memory is bounded by one batch and the second moments of the channels.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx

from engine_export.graph import Floats, constant, floats, rebuilt
from engine_export.scales import ChannelRange
from engine_runtime.inference.session import available_cpus, open_session

Feed = dict[str, npt.NDArray[Any]]
Ints = npt.NDArray[np.int64]

# Positions of one batch.
BUDGET = 2048

# 256 MiB of sums in float64.
MOMENTS = 1 << 25


def run_graph(model: onnx.ModelProto, feeds: Iterable[Feed], outputs: Sequence[str]) -> Iterable[list[Floats]]:
    """Run a graph on each feed in turn; gives the values of `outputs`."""
    session = open_session(model.SerializeToString(), threads=available_cpus())
    for feed in feeds:
        yield session.run(list(outputs), feed)


def vectors(model: onnx.ModelProto, feeds: Iterable[Feed], output: str) -> Floats:
    """One output over all feeds, one row after another."""
    return np.concatenate([found[0] for found in run_graph(model, feeds, [output])])


def measure_ranges(
    model: onnx.ModelProto, channels: Mapping[str, int], feeds: Sequence[Feed]
) -> dict[str, ChannelRange]:
    """Least and greatest value of each channel of tensors inside a graph, and how channels go together.

    Parameters
    ----------
    model
        The float32 graph.
    channels
        Size of the last dimension of each tensor that is asked for.
    feeds
        Real inputs, without padding; run once for every `MOMENTS` numbers of all moments together.
    """
    found: dict[str, ChannelRange] = {}
    for names in _rounds(channels):
        found |= _measure_round(model, {name: channels[name] for name in names}, feeds)
    return found


def _rounds(channels: Mapping[str, int]) -> list[list[str]]:
    """Tensors whose moments are held at a time."""
    rounds: list[list[str]] = [[]]
    held = 0
    for name, width in channels.items():
        if rounds[-1] and held + width**2 > MOMENTS:
            rounds.append([])
            held = 0
        rounds[-1].append(name)
        held += width**2
    return rounds


def _measure_round(
    model: onnx.ModelProto, channels: Mapping[str, int], feeds: Iterable[Feed]
) -> dict[str, ChannelRange]:
    make = onnx.helper.make_node
    nodes, outputs = [], []
    tensors = [constant("range.rows", [0], np.int64)]
    for name, width in channels.items():
        parts = ("flat", "shape", "low", "high", "mean", "centred", "turned", "scatter", "rows")
        flat, shape, low, high, mean, centred, turned, scatter, rows = (f"{name}.range.{part}" for part in parts)
        tensors.append(constant(shape, [-1, width], np.int64))
        nodes += [
            make("Reshape", [name, shape], [flat]),
            make("ReduceMin", [flat, "range.rows"], [low], keepdims=0),
            make("ReduceMax", [flat, "range.rows"], [high], keepdims=0),
            make("ReduceMean", [flat, "range.rows"], [mean], keepdims=0),
            make("Sub", [flat, mean], [centred]),
            make("Transpose", [centred], [turned], perm=[1, 0]),
            make("MatMul", [turned, centred], [scatter]),
            make("Shape", [flat], [rows], start=0, end=1),
        ]
        outputs += [floats(low, width), floats(high, width), floats(mean, width), floats(scatter, width, width)]
        outputs.append(onnx.helper.make_tensor_value_info(rows, onnx.TensorProto.INT64, [1]))
    watched = rebuilt(model, [*model.graph.node, *nodes], tensors, outputs)
    totals = {name: _Total(width) for name, width in channels.items()}
    for found in run_graph(watched, feeds, [output.name for output in outputs]):
        for total, *seen in zip(totals.values(), *(found[k::5] for k in range(5)), strict=True):
            total.add(*seen)
    return {name: total.range() for name, total in totals.items()}


class _Total:
    """What the feeds so far held in one tensor; feeds are joined as Chan, Golub and LeVeque join samples (1979)."""

    def __init__(self, width: int) -> None:
        self.low = np.full(width, np.inf, np.float32)
        self.high = np.full(width, -np.inf, np.float32)
        self.mean = np.zeros(width)
        self.scatter = np.zeros((width, width))
        self.rows = 0

    def add(self, low: Floats, high: Floats, mean: Floats, scatter: Floats, rows: Ints) -> None:
        new, before = int(rows[0]), self.rows
        apart = mean - self.mean
        self.low, self.high = np.minimum(self.low, low), np.maximum(self.high, high)
        self.rows += new
        self.scatter += scatter + np.outer(apart, apart) * (before * new / self.rows)
        self.mean += apart * (new / self.rows)

    def range(self) -> ChannelRange:
        return ChannelRange(self.low, self.high, self.scatter.astype(np.float32))
