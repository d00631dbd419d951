"""fastembed as a peer, with its defaults: float32, batches of 256 in the order of the texts, pooling in NumPy.

Knows that library; knows nothing of how it is measured. It gets the same weights as a custom model in a local folder: a
float32 graph that ends before the pooling, which fastembed does itself.
"""

from __future__ import annotations

import importlib
import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from engine_bench.peers.contract import Floats, Task

NAME = "local/same-weights"
GRAPH = "model.onnx"
COPIED = ("config.json", "special_tokens_map.json")


class Fastembed:
    """Its default settings on the same weights.

    Parameters
    ----------
    task
        What it works on.
    """

    def __init__(self, task: Task) -> None:
        library: Any = importlib.import_module("fastembed")
        described: Any = importlib.import_module("fastembed.common.model_description")
        info = task.artefact().info
        pooling = described.PoolingType
        library.TextEmbedding.add_custom_model(
            model=NAME,
            pooling=pooling.CLS if info.pooling == "cls" else pooling.MEAN,
            normalization=True,
            sources=described.ModelSource(hf=NAME),
            dim=info.dim,
            model_file=GRAPH,
        )
        folder = str(task.made("model"))
        self._model = library.TextEmbedding(NAME, specific_model_path=folder, threads=task.threads)
        self.settings = f"float32, {task.threads} threads, its default batches of 256 as they come"

    @classmethod
    def prepare(cls, task: Task) -> None:
        """Lay the folder that it reads: the graph up to the states, the tokenizer, the settings."""
        import onnx

        from engine_bench.peers.exported import padded_graph
        from engine_export.encoder_graph import STATES
        from engine_export.graph import floats, rebuilt

        folder = task.made("model")
        folder.mkdir()
        info, whole = task.artefact().info, padded_graph(task)
        nodes = [node for node in whole.graph.node if not node.name.startswith("pool/")]
        states = rebuilt(whole, nodes, outputs=[floats(STATES, "batch", "tokens", info.dim)])
        onnx.save(states, str(folder / GRAPH))
        shutil.copyfile(task.artefact().tokenizer, folder / "tokenizer.json")
        for name in COPIED:
            if (Path(task.weights) / name).exists():
                shutil.copyfile(Path(task.weights) / name, folder / name)
        settings = json.loads((Path(task.weights) / "tokenizer_config.json").read_text())
        settings |= {"model_max_length": info.max_tokens, "max_length": info.max_tokens}
        (folder / "tokenizer_config.json").write_text(json.dumps(settings))

    def encode(self, texts: Sequence[str]) -> Floats:
        """See `Peer.encode`."""
        return np.stack(list(self._model.embed(list(texts)))).astype(np.float32, copy=False)
