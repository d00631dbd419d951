"""How long each kind of node of a graph takes, by ONNX Runtime's own profiler.

Knows sessions, feeds and the profile's format; knows nothing of texts. As many one-thread sessions run side by side as
do in earnest, so that they share the machine's caches and memory as they do there.
"""

from __future__ import annotations

import tempfile
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import onnxruntime as ort

from engine_runtime.inference.session import open_session

Feed = Mapping[str, npt.NDArray[np.generic]]

PRODUCTS, ATTENTION, GELU, NORMS, QUANTIZATION, OTHER = (
    *("integer products", "attention", "activation function", "normalization"),
    *("quantization", "other nodes"),
)
KINDS = {
    **dict.fromkeys(("MatMulIntegerToFloat", "MatMulInteger", "QLinearMatMul", "DynamicQuantizeMatMul"), PRODUCTS),
    **dict.fromkeys(("Attention", "MultiHeadAttention", "QAttention", "MatMul", "FusedMatMul"), ATTENTION),
    **dict.fromkeys(("Softmax", "Exp", "ReduceSum", "Div", "Transpose"), ATTENTION),
    **dict.fromkeys(("Gelu", "BiasGelu", "FastGelu", "QuickGelu", "Erf"), GELU),
    **dict.fromkeys(("LayerNormalization", "SkipLayerNormalization", "SimplifiedLayerNormalization"), NORMS),
    **dict.fromkeys(("QuantizeLinear", "DequantizeLinear", "DynamicQuantizeLinear"), QUANTIZATION),
}
"""Operators by the part of an encoder that they serve: a product of two activations is attention's, and so is what
Softmax is spelled out as (pooling, once a text, has a little of that too)."""

MARK = "_kernel_time"


def by_kind(operators: Mapping[str, float]) -> dict[str, float]:
    """Seconds of each kind of node, greatest first, from those of each operator."""
    sums: dict[str, float] = defaultdict(float)
    for operator, seconds in operators.items():
        sums[KINDS.get(operator, OTHER)] += seconds
    return dict(sorted(sums.items(), key=lambda pair: -pair[1]))


def operator_seconds(events: Iterable[Mapping[str, Any]]) -> dict[str, float]:
    """Seconds of each operator, from the events of a profile."""
    sums: dict[str, float] = defaultdict(float)
    for event in events:
        if event.get("cat") == "Node" and event["name"].endswith(MARK):
            sums[event["args"]["op_name"]] += event["dur"] / 1e6
    return dict(sums)


def profile(graph: Path, feeds: Sequence[Feed], output: str, threads: int) -> dict[str, float]:
    """Run a graph on `feeds` and give the seconds of each operator, over all threads together.

    Parameters
    ----------
    graph
        The graph.
    feeds
        Its inputs, batch by batch.
    output
        What is asked of it.
    threads
        One-thread sessions that share the work.
    """
    waiting = iter(feeds)

    def work(session: ort.InferenceSession) -> None:
        for feed in waiting:  # the iterator of a sequence may be shared by threads
            session.run([output], dict(feed))

    with tempfile.TemporaryDirectory() as scratch:
        sessions = [open_session(graph, profile=Path(scratch) / str(number)) for number in range(threads)]
        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(work, sessions))
        files = [Path(session.end_profiling()) for session in sessions]
        events = [event for file in files for event in msgspec.json.decode(file.read_bytes())]
    return operator_seconds(events)
