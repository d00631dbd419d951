"""The integer products of an encoder graph alone: how fast the machine does what cannot be left out.

Knows graphs and sessions; knows nothing of texts. The products are those of the graph that really runs, with its own
weights, on batches of the same shapes; their inputs and results are buffers that are there already. What is left of an
encoder's time after these is what a better graph or runtime could save.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort

from engine_export.graph import Graph, floats, rebuilt
from engine_runtime.errors import ArtefactError
from engine_runtime.inference.session import open_session

PRODUCT = "MatMulIntegerToFloat"

Shape = tuple[int, int]


def products_graph(graph: Path) -> onnx.ModelProto:
    """The products of a graph and nothing else, after ONNX Runtime's own optimization.

    Its inputs are u8 [rows, tokens, K], one for each K there is, named by `input_name`; its outputs are the float32
    results [rows, tokens, N], by the names that they have in the graph.

    Raises
    ------
    ArtefactError
        There are none.
    """
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "optimized.onnx"
        open_session(graph, optimized=path)
        model = onnx.load(str(path))
    whole, nodes, inputs, outputs = Graph(model), [], {}, []
    for found in model.graph.node:
        if found.op_type != PRODUCT or (weight := whole.constant(found.input[1])) is None:
            continue
        node, (k, n) = onnx.NodeProto(), weight.shape
        node.CopyFrom(found)
        node.input[0] = input_name(k)
        nodes.append(node)
        inputs[k] = onnx.helper.make_tensor_value_info(node.input[0], onnx.TensorProto.UINT8, ["rows", "tokens", k])
        outputs.append(floats(node.output[0], "rows", "tokens", n))
    if not nodes:
        raise ArtefactError(f"{graph} has no integer products ({PRODUCT}): it is no int8 variant of this engine.")
    made = rebuilt(model, nodes, outputs=outputs)
    del made.graph.input[:]
    made.graph.input.extend(inputs.values())
    return made


def input_name(k: int) -> str:
    """Name of the input of width `k`."""
    return f"u8.{k}"


def operations(model: onnx.ModelProto, batches: Sequence[Shape]) -> float:
    """Multiplications and additions that `products_graph` does on padded batches (rows, tokens), both counted."""
    widths = [tensor.type.tensor_type.shape.dim[-1].dim_value for tensor in model.graph.output]
    depth = [int(node.input[0].rpartition(".")[2]) for node in model.graph.node]
    each = sum(2 * k * n for k, n in zip(depth, widths, strict=True))
    return float(each * sum(rows * tokens for rows, tokens in batches))


class Products:
    """The products, ready to run in one-thread sessions side by side.

    Parameters
    ----------
    model
        From `products_graph`.
    threads
        Sessions.
    most
        Most positions of a batch.
    """

    def __init__(self, model: onnx.ModelProto, threads: int, most: int) -> None:
        serialized = model.SerializeToString()
        self._runs = [_Run(open_session(serialized), most) for _ in range(threads)]

    def seconds(self, batches: Sequence[Shape]) -> float:
        """Seconds of the clock for all products of all batches (rows, tokens)."""
        waiting = iter(batches)

        def work(run: _Run) -> None:
            for batch in waiting:  # the iterator of a sequence may be shared by threads
                run(batch)

        started = time.perf_counter()
        with ThreadPoolExecutor(len(self._runs)) as pool:
            list(pool.map(work, self._runs))
        return time.perf_counter() - started


class _Run:
    """A session with its buffers: inputs of random numbers, and one place for all results of a width."""

    def __init__(self, session: ort.InferenceSession, most: int) -> None:
        generator = np.random.default_rng(0)
        self._session = session
        self._given = {
            tensor.name: generator.integers(0, 256, (most, tensor.shape[-1]), np.uint8)
            for tensor in session.get_inputs()
        }
        self._widths = {tensor.name: int(tensor.shape[-1]) for tensor in session.get_outputs()}
        self._results = {width: np.empty((most, width), np.float32) for width in self._widths.values()}

    def __call__(self, batch: Shape) -> None:
        rows, tokens = batch
        binding: Any = self._session.io_binding()
        for name, given in self._given.items():
            binding.bind_cpu_input(name, given[: rows * tokens].reshape(rows, tokens, -1))
        for name, width in self._widths.items():
            place = self._results[width].ctypes.data
            binding.bind_output(name, "cpu", 0, np.float32, (rows, tokens, width), place)
        self._session.run_with_iobinding(binding)
