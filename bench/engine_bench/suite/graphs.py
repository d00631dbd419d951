"""What a graph comes to once ONNX Runtime has optimized it: its nodes by type, and its weights.

Knows graphs alone. The file says what was exported; this says what really runs, and neither depends on the clock.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import onnx

from engine_runtime.inference.session import Provider, open_session


@dataclass(frozen=True)
class GraphFacts:
    """One graph.

    Attributes
    ----------
    nodes
        How many of each type really run, by type.
    weight_bytes
        Bytes of all constants that they read.
    file_bytes
        Of the file.
    """

    nodes: dict[str, int]
    weight_bytes: int
    file_bytes: int


def graph_facts(graph: Path, provider: Provider = "cpu") -> GraphFacts:
    """Optimize `graph` as a session does and count; raises what `open_session` does."""
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "optimized.onnx"
        open_session(graph, provider, optimized=path)
        made = onnx.load(str(path)).graph
    nodes = Counter(node.op_type for node in made.node)
    weights = sum(onnx.numpy_helper.to_array(constant).nbytes for constant in made.initializer)
    return GraphFacts(dict(sorted(nodes.items())), weights, graph.stat().st_size)
