"""RePlay's compiled SASRec as a contender of `turns`; runs in an environment of its own, with replay-rec and OpenVINO.

Weights are random: only its speed is compared. It scores the whole catalogue for every user. The mode and batch are
the fastest of a short trial.
"""

from __future__ import annotations

import json
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

MODES = (("batch", 16), ("batch", 64), ("batch", 256), ("dynamic_batch_size", 64), ("one_query", 1))
TRIED = 256


def load(folder: str, variant: str) -> tuple[str, Callable[[], dict[str, Any]]]:
    """Variant ``scores`` or ``top10``."""
    warnings.simplefilter("ignore")
    import torch

    torch.set_num_threads(1)
    root = Path(folder)
    given = json.loads((root / "given.json").read_text())
    held = np.load(root / "inputs.npz", allow_pickle=False)
    longest = given["shape"]["max_events"]
    stops, items = held["offsets"][1:], held["items"]
    back = np.arange(-longest, 0)
    inside = -back <= np.diff(held["offsets"])[:, None]
    ids = torch.from_numpy(np.where(inside, items[np.maximum(stops[:, None] + back, 0)], 0).astype(np.int64))
    mask = torch.from_numpy(inside)
    model = _model(given["shape"], len(held["vectors"]))
    fitting = [mode for mode in MODES if mode[1] <= len(ids)]  # a compiled batch takes no fewer users than its size
    speeds = {mode: _speed(_compiled(model, *mode), ids[:TRIED], mask[:TRIED], mode[1]) for mode in fitting}
    mode, size = min(speeds, key=lambda each: speeds[each])
    compiled = _compiled(model, mode, size)

    def work() -> dict[str, Any]:
        _run(compiled, ids, mask, size, top=variant == "top10")
        return {}

    work()  # the first turn allocates
    return f"replay-rec, OpenVINO, random weights, mode {mode}, {size} users a batch, one thread; {variant}", work


def _model(shape: dict[str, int], n_items: int) -> Any:
    from replay.data import FeatureHint, FeatureSource, FeatureType
    from replay.data.nn import TensorFeatureInfo, TensorFeatureSource, TensorSchema
    from replay.models.nn.sequential.sasrec import SasRec

    feature = TensorFeatureInfo(
        "item_id",
        cardinality=n_items,
        is_seq=True,
        feature_type=FeatureType.CATEGORICAL,
        feature_hint=FeatureHint.ITEM_ID,
        embedding_dim=shape["dim"],
        feature_sources=[TensorFeatureSource(FeatureSource.INTERACTIONS, "item_id")],
    )
    return SasRec(
        TensorSchema(feature),
        block_count=shape["n_blocks"],
        head_count=shape["n_heads"],
        hidden_size=shape["dim"],
        max_seq_len=shape["max_events"],
    ).eval()


def _compiled(model: Any, mode: str, size: int) -> Any:
    from replay.models.nn.sequential.compiled import SasRecCompiled

    return SasRecCompiled.compile(model, mode=mode, batch_size=size if mode == "batch" else None, num_threads=1)


def _speed(compiled: Any, ids: Any, mask: Any, size: int) -> float:
    """Seconds of CPU that some users take, after one batch to warm up."""
    _run(compiled, ids[:size], mask[:size], size, top=False)
    started = time.process_time()
    _run(compiled, ids, mask, size, top=False)
    return time.process_time() - started


def _run(compiled: Any, ids: Any, mask: Any, size: int, *, top: bool) -> None:
    import torch

    for start in range(0, len(ids), size):
        rows = slice(max(0, min(start, len(ids) - size)), start + size)  # the last batch is as full as the others
        scores = compiled.predict({"feature_tensor": {"item_id": ids[rows]}, "padding_mask": mask[rows]})
        if top:
            torch.topk(scores, 10)
