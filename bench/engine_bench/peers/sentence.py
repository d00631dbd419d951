"""sentence-transformers as a peer: PyTorch, and ONNX with its own dynamic int8.

Knows that library; knows nothing of how it is measured. It sorts by length itself; the size of its batches is what a
short trial on the machine finds fastest.
"""

from __future__ import annotations

import importlib
import platform
from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np

from engine_bench.peers.contract import Floats, Task
from engine_bench.peers.trial import fastest

CHOICE = "batch.json"
BATCHES = (8, 16, 32, 64)
FILE = "int8"


class SentenceTorch:
    """PyTorch in float32.

    Parameters
    ----------
    task
        What it works on.
    batch
        Texts of a batch; the number that `prepare` found best if None.
    """

    computes = "PyTorch"

    def __init__(self, task: Task, batch: int | None = None) -> None:
        self._batch = batch or msgspec.json.decode(task.made(CHOICE).read_bytes(), type=int)
        self._model: Any = self.load(task)
        self._model.max_seq_length = task.artefact().info.max_tokens
        self.settings = f"{self.computes}, {task.threads} threads, its own sorting, batches of {self._batch}"

    @classmethod
    def prepare(cls, task: Task) -> None:
        """Convert, where there is something to convert, and try."""
        cls.convert(task)
        best = fastest(BATCHES, lambda batch: cls(task, batch), task.calibration_texts())
        task.made(CHOICE).write_bytes(msgspec.json.encode(best))

    @staticmethod
    def convert(task: Task) -> None:
        """The folder of the weights is all that is needed."""

    @staticmethod
    def load(task: Task) -> Any:
        """Its model, from the folder of the weights."""
        import torch

        torch.set_num_threads(task.threads)
        library: Any = importlib.import_module("sentence_transformers")
        return library.SentenceTransformer(task.weights, device="cpu", local_files_only=True)

    def encode(self, texts: Sequence[str]) -> Floats:
        """See `Peer.encode`."""
        found = self._model.encode(
            list(texts),
            batch_size=self._batch,
            normalize_embeddings=True,
            convert_to_numpy=True,
            show_progress_bar=False,
        )
        return np.asarray(found, np.float32)


class SentenceOnnx(SentenceTorch):
    """ONNX Runtime on the int8 graph that the library's own exporter quantizes for the processor."""

    computes = "ONNX backend, dynamic int8"

    @staticmethod
    def convert(task: Task) -> None:
        """Export the folder to ONNX and quantize it, with the library's own functions."""
        library: Any = importlib.import_module("sentence_transformers")
        options = {"export": True, "provider": "CPUExecutionProvider"}
        model = library.SentenceTransformer(task.weights, backend="onnx", local_files_only=True, model_kwargs=options)
        folder = str(task.made("model"))
        model.save_pretrained(folder)
        kind = "arm64" if platform.machine() in {"arm64", "aarch64"} else "avx512_vnni"
        backend: Any = importlib.import_module("sentence_transformers.backend")
        backend.export_dynamic_quantized_onnx_model(model, kind, folder, file_suffix=FILE)

    @staticmethod
    def load(task: Task) -> Any:
        """The quantized model that `convert` has made."""
        library: Any = importlib.import_module("sentence_transformers")
        return library.SentenceTransformer(
            str(task.made("model")),
            backend="onnx",
            local_files_only=True,
            model_kwargs={
                "file_name": f"onnx/model_{FILE}.onnx",
                "provider": "CPUExecutionProvider",
                "session_options": session_options(task.threads),
            },
        )


def session_options(threads: int) -> Any:
    """Options of a session with so many threads, otherwise as ONNX Runtime has them."""
    ort: Any = importlib.import_module("onnxruntime")
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3
    return options
