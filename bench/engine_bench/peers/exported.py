"""The weights as a plain ONNX graph, for peers that take one; needed only while they are prepared.

Knows the export's tracing. The artefact's own float32 graph will not do: it takes texts of one length alone, which is a
part of what is compared.
"""

from __future__ import annotations

from pathlib import Path

import onnx

from engine_bench.peers.contract import Task
from engine_export.encoder_graph import encoder_graphs
from engine_export.sources import describe


def padded_graph(task: Task) -> onnx.ModelProto:
    """The float32 graph from padded tokens and their mask to ``text``, vectors of length 1."""
    folder = Path(task.weights)
    return encoder_graphs(describe(folder.name, folder)).padded
