"""The engine's refiner, and the same network in PyTorch, as contenders of `turns`; knows the files of `contest`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from engine_bench.refiners.contest import Given
from engine_runtime.data.inputs import ModelInputs
from engine_runtime.inference.batching import cut_batches
from engine_runtime.inference.refiner import Refiner
from engine_runtime.search.index import ExactIndex

Arrays = dict[str, Any]
TORCH_POSITIONS = 1536
"""Positions of a padded batch in PyTorch: what training takes."""


def load(folder: str, variant: str) -> tuple[str, Callable[[], Arrays]]:
    """Variant ``PRECISION``, ``PRECISION-top10`` or ``torch``."""
    root = Path(folder)
    given = msgspec.json.decode((root / "given.json").read_bytes(), type=Given)
    held = np.load(root / "inputs.npz", allow_pickle=False)
    inputs = ModelInputs(**{field.name: held[field.name] for field in fields(ModelInputs)})
    vectors = held["vectors"]
    if variant == "torch":
        return _torch(given, inputs, vectors)
    precision, _, search = variant.partition("-")
    refiner = Refiner(Path(given.bundle) / f"refiner.{precision}.onnx", given.shape, threads=1)
    index = ExactIndex(vectors, np.ones(len(vectors), np.bool_))

    def work() -> Arrays:
        found = refiner.refine(inputs, vectors)
        if search:
            index.search(found.query, 10)
        return {"query": found.query, "profile": found.profile}

    work()  # the first turn allocates
    return f"one thread, one length a batch{', the 10 best items by exact search' if search else ''}", work


def _torch(given: Given, inputs: ModelInputs, vectors: Any) -> tuple[str, Callable[[], Arrays]]:
    import torch

    from engine_models.model import load_model
    from engine_runtime.artefacts.run import Run
    from engine_runtime.inference.batching import pad_rows

    torch.set_num_threads(1)
    network = load_model(Run.open(Path(given.run), verify=False)).refiner
    lengths = np.diff(inputs.offsets)
    table = torch.from_numpy(vectors)

    @torch.inference_mode()
    def work() -> Arrays:
        query = np.zeros((len(lengths), given.shape.dim), np.float32)
        profile = np.zeros((len(lengths), given.shape.n_concepts), np.float32)
        for rows in cut_batches(lengths, TORCH_POSITIONS):
            width = int(lengths[rows].max())
            padded = [
                torch.from_numpy(pad_rows(values, inputs.offsets, rows, width, 0))
                for values in (inputs.items, inputs.types, inputs.values, inputs.gaps)
            ]
            mask = torch.from_numpy((np.arange(width) < lengths[rows][:, None]).astype(np.float32))
            # the concepts after every event are part of this network's answer, as they are of the graph's
            answer = network(table[padded[0].long()], padded[1].long(), padded[2], padded[3], mask)
            query[rows], profile[rows] = answer[0].numpy(), answer[1].numpy()
        return {"query": query, "profile": profile}

    work()  # as above
    return f"PyTorch {torch.__version__}, eager, float32, one thread, {TORCH_POSITIONS} padded positions a batch", work
