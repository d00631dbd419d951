"""What a graph comes to once it is optimized."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine_bench.suite.graphs import graph_facts
from engine_runtime.errors import ArtefactError
from tiny import SHAPE, SPECIAL, WORDS, encoder_graph


def test_what_really_runs_is_counted(tmp_path: Path) -> None:
    """Nodes are those of the optimized graph, and the weights are all that they read."""
    path = tmp_path / "encoder.onnx"
    path.write_bytes(encoder_graph())
    found = graph_facts(path)
    assert found.nodes["Gather"] == found.nodes["ReduceSum"] == found.nodes["Concat"] == 1
    assert list(found.nodes) == sorted(found.nodes)
    least = 4 * SHAPE.text_dim * (len(SPECIAL) + len(WORDS) + SHAPE.dim)
    assert least <= found.weight_bytes <= least + 64
    assert found.file_bytes == path.stat().st_size


def test_what_is_no_graph_is_refused(tmp_path: Path) -> None:
    """The file is named."""
    path = tmp_path / "encoder.onnx"
    path.write_bytes(b"not a graph")
    with pytest.raises(ArtefactError, match=r"encoder\.onnx"):
        graph_facts(path)
