"""CTranslate2 as a peer: int8 weights and activations, pooled here, since it gives the states of all tokens.

Knows that library; knows nothing of how it is measured. Texts are tokenized by the `tokenizers` library, sorted and cut
by the engine's own code, into batches of the size that a short trial on the machine finds fastest.
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
from engine_bench.peers.feeding import LibraryTokenizer
from engine_bench.peers.trial import fastest
from engine_runtime.inference.batching import cut_batches

CHOICE = "budget.json"
BUDGETS = (512, 1024, 2048)

Ints = npt.NDArray[np.int64]


class Ctranslate:
    """int8 with a one-thread worker for each thread.

    Parameters
    ----------
    task
        What it works on.
    budget
        Most positions of a padded batch; the number that `prepare` found best if None.
    """

    def __init__(self, task: Task, budget: int | None = None) -> None:
        library: Any = importlib.import_module("ctranslate2")
        artefact = task.artefact()
        self._info, self._workers = artefact.info, task.threads
        self._tokenize = LibraryTokenizer(artefact.tokenizer, artefact.info.max_tokens)
        self._budget = budget or msgspec.json.decode(task.made(CHOICE).read_bytes(), type=int)
        folder, threads = str(task.made("model")), {"inter_threads": task.threads, "intra_threads": 1}
        self._encoder = library.Encoder(folder, device="cpu", compute_type="int8", **threads)
        self.settings = f"{task.threads} one-thread workers, sorted batches of at most {self._budget} positions"

    @classmethod
    def prepare(cls, task: Task) -> None:
        """Convert the folder of the weights with the library's own converter, and try."""
        converters: Any = importlib.import_module("ctranslate2.converters")
        converters.TransformersConverter(task.weights).convert(str(task.made("model")), quantization="int8")
        best = fastest(BUDGETS, lambda budget: cls(task, budget), task.calibration_texts())
        task.made(CHOICE).write_bytes(msgspec.json.encode(best))

    def encode(self, texts: Sequence[str]) -> Floats:
        """See `Peer.encode`."""
        tokens = self._tokenize(texts)
        vectors = np.empty((len(texts), self._info.dim), np.float32)
        rows = np.split(tokens.ids, tokens.offsets[1:-1])

        def run(batch: Ints) -> None:
            found = self._encoder.forward_batch([rows[row].tolist() for row in batch])
            vectors[batch] = self._pool(np.array(found.last_hidden_state), tokens.lengths[batch])

        with ThreadPoolExecutor(self._workers) as pool:
            list(pool.map(run, cut_batches(tokens.lengths, self._budget)))
        return vectors

    def _pool(self, states: Floats, lengths: Ints) -> Floats:
        if self._info.pooling == "cls":
            pooled = states[:, 0]
        else:
            inside = np.arange(states.shape[1]) < lengths[:, None]
            pooled = np.einsum("btd,bt->bd", states, inside.astype(np.float32))
        unit: Floats = pooled / np.maximum(np.linalg.norm(pooled, axis=1, keepdims=True), 1e-12)
        return unit
