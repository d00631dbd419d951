"""Plain ONNX Runtime as a peer: what its documentation leads to, without this engine's sessions and recipe.

Knows ONNX Runtime alone. Its sessions are made here and not through the engine's door, whose settings are a part of
what is compared.
"""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from engine_bench.peers.contract import Floats, Task
from engine_bench.peers.feeding import LibraryTokenizer, token_feed
from engine_bench.peers.sentence import session_options
from engine_bench.peers.trial import fastest

BATCH = 32
GRAPH, CHOICE = "dynamic.onnx", "workers.json"

Ints = npt.NDArray[np.int64]


class PlainDynamic:
    """Dynamic int8 by ``onnxruntime.quantization``, sorted batches of 32.

    Parameters
    ----------
    task
        What it works on.
    workers
        Python threads among which the threads of the session are shared out; the number that `prepare` found best if
        None.
    """

    def __init__(self, task: Task, workers: int | None = None) -> None:
        ort: Any = importlib.import_module("onnxruntime")
        artefact = task.artefact()
        self._info = artefact.info
        self._tokenize = LibraryTokenizer(artefact.tokenizer, artefact.info.max_tokens)
        self._workers = workers or msgspec.json.decode(task.made(CHOICE).read_bytes(), type=int)
        options = session_options(task.threads // self._workers)
        self._session = ort.InferenceSession(str(task.made(GRAPH)), options, providers=["CPUExecutionProvider"])
        self._inputs = [tensor.name for tensor in self._session.get_inputs()]
        threads = f"{self._workers} workers of {task.threads // self._workers} threads"
        self.settings = f"dynamic int8 per channel, {threads}, sorted batches of {BATCH}"

    @classmethod
    def prepare(cls, task: Task) -> None:
        """Quantize the float32 graph, and try."""
        import onnx

        from engine_bench.peers.exported import padded_graph

        quantization: Any = importlib.import_module("onnxruntime.quantization")
        exact, made = str(task.made("exact.onnx")), str(task.made(GRAPH))
        onnx.save(padded_graph(task), exact)
        quantization.quantize_dynamic(exact, made, per_channel=True, weight_type=quantization.QuantType.QInt8)
        candidates = sorted({1, task.threads})
        best = fastest(candidates, lambda workers: cls(task, workers), task.calibration_texts())
        task.made(CHOICE).write_bytes(msgspec.json.encode(best))

    def encode(self, texts: Sequence[str]) -> Floats:
        """See `Peer.encode`."""
        tokens = self._tokenize(texts)
        vectors = np.empty((len(texts), self._info.dim), np.float32)
        order = np.argsort(tokens.lengths, kind="stable")

        def run(batch: Ints) -> None:
            feed = token_feed(tokens, batch, self._inputs, self._info.pad_token)
            vectors[batch] = self._session.run(["text"], feed)[0]

        with ThreadPoolExecutor(self._workers) as pool:
            list(pool.map(run, np.array_split(order, range(BATCH, len(order), BATCH))))
        return vectors
