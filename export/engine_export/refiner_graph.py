"""The trained refiner as an ONNX graph.

Knows the refiner and PyTorch's exporter; knows nothing of quantization or files. Names, types and shapes of the graph
are those of `engine_runtime.inference.refiner`; batch and time are free.
"""

from __future__ import annotations

import tempfile
import warnings
from pathlib import Path

import numpy as np
import onnx
import torch

from engine_export.calibrate import Feed
from engine_export.graph import rebuilt
from engine_models.refiner import Refiner
from engine_runtime.errors import ArtefactError
from engine_runtime.inference.session import open_session

OPSET = 18
INPUTS = ("vectors", "types", "values", "gaps", "mask")
OUTPUTS = ("query", "profile", "concepts")

# The layers of the Transformer; the decoder onto concepts and what follows it stay in float32, so that the readable
# profile is what was trained.
BLOCKS = "/blocks."


def refiner_graph(refiner: Refiner) -> onnx.ModelProto:
    """The float32 graph of a refiner, checked against PyTorch.

    Raises
    ------
    ArtefactError
        The graph differs from PyTorch by more than 1e-4.
    """
    model = _trace(refiner.eval())
    check_against_refiner(model, refiner)
    return model


def is_block(name: str) -> bool:
    """Whether the node `name` belongs to a block of the Transformer, and so may be quantized."""
    return name.startswith(BLOCKS)


def random_feed(refiner: Refiner, batch: int, length: int, seed: int = 0) -> Feed:
    """Inputs of the right names, types and shapes; histories of all lengths from `length` down to 1."""
    generator = np.random.default_rng(seed)
    lengths = np.maximum(length - np.arange(batch), 1)
    mask = (np.arange(length) < lengths[:, None]).astype(np.float32)
    shape = refiner.shape
    return {
        "vectors": generator.standard_normal((batch, length, shape.dim), np.float32) * mask[..., None],
        "types": generator.integers(0, shape.n_types, (batch, length)) * mask.astype(np.int64),
        "values": generator.standard_normal((batch, length), np.float32) * mask,
        "gaps": generator.standard_normal((batch, length), np.float32) * mask,
        "mask": mask,
    }


def check_against_refiner(model: onnx.ModelProto, refiner: Refiner, atol: float = 1e-4) -> None:
    """Compare the graph with PyTorch at sizes that were not traced; raises `ArtefactError` past `atol`."""
    session = open_session(model.SerializeToString())
    longest = refiner.shape.max_events
    for batch, length in ((1, 1), (3, 1), (1, min(7, longest)), (3, min(7, longest)), (3, longest)):
        feed = random_feed(refiner, batch, length)
        with torch.inference_mode():
            expected = refiner(*(torch.from_numpy(feed[name]) for name in INPUTS))
        for name, right, found in zip(OUTPUTS, expected, session.run(list(OUTPUTS), feed), strict=True):
            worst = float(np.abs(found - right.numpy()).max())
            if not worst <= atol:
                raise ArtefactError(
                    f"the exported refiner differs from PyTorch in '{name}' by {worst:.1e} at batch {batch}, length "
                    f"{length}; {atol:.0e} is allowed. Report this with the versions of torch and onnxruntime."
                )


def _trace(refiner: Refiner) -> onnx.ModelProto:
    feed = random_feed(refiner, 2, min(5, refiner.shape.max_events))
    free: dict[str, dict[int, str]] = {name: {0: "batch", 1: "time"} for name in (*INPUTS, "concepts")}
    free |= {name: {0: "batch"} for name in ("query", "profile")}
    with warnings.catch_warnings(), tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "refiner.onnx"
        warnings.simplefilter("ignore")  # the tracer's remarks; the result is checked instead
        torch.onnx.export(
            refiner,
            tuple(torch.from_numpy(feed[name]) for name in INPUTS),
            path,
            input_names=list(INPUTS),
            output_names=list(OUTPUTS),
            dynamic_axes=free,
            opset_version=OPSET,
            dynamo=False,
        )
        model = onnx.load(str(path))
    return rebuilt(model, model.graph.node)
