"""The trained refiner as an ONNX graph, held against PyTorch.

Knows the refiner, and inputs that its graph takes; knows nothing of quantization or files. Names, types and shapes of
the graph are those of `engine_runtime.inference.refiner`; batch and time are free.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import onnx
import torch

from engine_export.calibrate import Feed
from engine_export.refiner_nodes import BLOCKS, Drawing
from engine_models.refiner import Refiner
from engine_runtime.artefacts.run import RefinerShape
from engine_runtime.errors import ArtefactError
from engine_runtime.inference.session import open_session
from engine_runtime.profile.contributions import QueryHead

INPUTS = ("vectors", "types", "values", "gaps")
OUTPUTS = ("query", "profile", "concepts", "last_state")


def refiner_graph(refiner: Refiner) -> onnx.ModelProto:
    """The float32 graph of a refiner, checked against PyTorch.

    Raises
    ------
    ArtefactError
        The graph differs from PyTorch by more than 1e-4.
    """
    model = Drawing(refiner.eval()).model()
    check_against_refiner(model, refiner)
    return model


def query_head(refiner: Refiner) -> QueryHead:
    """The constants by which a query is taken apart again; they are float32 in every variant of the graph."""
    norm = refiner.query_norm
    pull = refiner.centres @ refiner.gain.weight.T
    weight, bias, moved = (tensor.detach().float().numpy() for tensor in (norm.weight, norm.bias, pull))
    return QueryHead(moved, weight, bias, np.array(norm.eps))


def is_block(name: str) -> bool:
    """Whether the node `name` belongs to a block of the Transformer, and so may be quantized."""
    return name.startswith(BLOCKS)


def random_feed(shape: RefinerShape, batch: int, length: int, seed: int = 0) -> Feed:
    """Inputs of the right names, types and shapes for `batch` histories of `length` events."""
    generator = np.random.default_rng(seed)
    return {
        "vectors": generator.standard_normal((length, batch, shape.dim), np.float32),
        "types": generator.integers(0, shape.n_types, (length, batch)),
        "values": generator.standard_normal((length, batch), np.float32),
        "gaps": generator.standard_normal((length, batch), np.float32),
    }


def in_torch(refiner: Refiner, feed: Feed) -> list[npt.NDArray[np.float32]]:
    """What PyTorch makes of the inputs of a graph; outputs in the order of `OUTPUTS`, laid out as the graph's."""
    vectors, types, values, gaps = (torch.from_numpy(feed[name]).transpose(0, 1) for name in INPUTS)
    with torch.inference_mode():
        mask = torch.ones(types.shape)
        states = refiner.encode(vectors, types, values, gaps, mask)
        query, profile, concepts = refiner.decode(states, mask)
    every = [query[:, -1], profile[:, -1], concepts.transpose(0, 1), states[:, -1]]
    return [output.numpy() for output in every]


def check_against_refiner(model: onnx.ModelProto, refiner: Refiner, atol: float = 1e-4) -> None:
    """Compare the graph with PyTorch at several sizes; raises `ArtefactError` past `atol`."""
    session = open_session(model.SerializeToString())
    longest = refiner.shape.max_events
    for batch, length in ((1, 1), (3, 1), (1, min(7, longest)), (3, min(7, longest)), (3, longest)):
        feed = random_feed(refiner.shape, batch, length)
        expected = in_torch(refiner, feed)
        for name, right, found in zip(OUTPUTS, expected, session.run(list(OUTPUTS), feed), strict=True):
            worst = float(np.abs(found - right).max())
            if not worst <= atol:
                raise ArtefactError(
                    f"the exported refiner differs from PyTorch in '{name}' by {worst:.1e} at batch {batch}, length "
                    f"{length}; {atol:.0e} is allowed. Report this with the versions of torch and onnxruntime."
                )
