"""How long each kind of node takes."""

from __future__ import annotations

import numpy as np
import pytest

from engine_bench.node_times import ATTENTION, OTHER, PRODUCTS, by_kind, operator_seconds, profile
from engine_runtime.artefacts.encoder import EncoderArtefact
from engine_runtime.inference.feed import DTYPES
from engine_runtime.inference.session import open_session


def event(name: str, operator: str, microseconds: int, cat: str = "Node") -> dict[str, object]:
    """An event of a profile."""
    return {"cat": cat, "name": name, "dur": microseconds, "args": {"op_name": operator}}


def test_only_kernels_count() -> None:
    """Events of sessions and of nodes' surroundings are left out; those of one operator are summed, in seconds."""
    events = [
        event("a_kernel_time", "Gelu", 2_000_000),
        event("b_kernel_time", "Gelu", 500_000),
        event("a_fence_before", "Gelu", 7),
        event("model_run", "", 9, cat="Session"),
    ]
    assert operator_seconds(events) == {"Gelu": 2.5}


def test_operators_are_summed_by_kind() -> None:
    """Products of activations are attention's, and what is not known is other; the greatest comes first."""
    found = by_kind({"MatMulIntegerToFloat": 1.0, "MatMul": 2.0, "Softmax": 3.0, "NoSuch": 0.5})
    assert list(found.items()) == [(ATTENTION, 5.0), (PRODUCTS, 1.0), (OTHER, 0.5)]


@pytest.mark.parametrize("threads", [1, 2])
def test_a_graph_is_profiled(encoder: EncoderArtefact, threads: int) -> None:
    """Every operator of the graph that ran has a time."""
    taken = {tensor.name: DTYPES[tensor.type] for tensor in open_session(encoder.graph("int8")).get_inputs()}
    inputs = {name: np.ones((2, 5), dtype) for name, dtype in taken.items()}
    found = profile(encoder.graph("int8"), [inputs, inputs], "text", threads)
    assert {"MatMulIntegerToFloat", "QuantizeLinear", "LayerNormalization"} <= set(found)
    assert all(seconds >= 0 for seconds in found.values())
