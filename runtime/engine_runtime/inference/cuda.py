"""An encoder graph on a device: one session, whose inputs and outputs lie in device memory that is kept.

Knows sessions, shapes and bindings; knows nothing of texts or tokenizing. For each shape of a padded batch the memory
is taken and bound once; a batch is then copied in, run, and its vectors copied out. The device may be the CPU, where
the same steps give the same vectors.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnxruntime as ort

from engine_runtime.inference.session import Provider, open_session

Floats = npt.NDArray[np.float32]

MASK = "attention_mask"

DTYPES: dict[str, npt.DTypeLike] = {"tensor(int64)": np.int64, "tensor(int32)": np.int32}


@dataclass(frozen=True)
class Bound:
    """What is kept for one shape and output.

    Attributes
    ----------
    host
        The graph's inputs as they are filled, int [height, width] each.
    inputs, output
        Where they and the vectors lie on the device.
    binding
        Ties them to the session.
    """

    host: dict[str, npt.NDArray[np.generic]]
    inputs: dict[str, ort.OrtValue]
    output: ort.OrtValue
    binding: ort.IOBinding


class DeviceEncoder:
    """An encoder graph ready to run on a device, one batch at a time.

    Parameters
    ----------
    graph
        An encoder graph.
    provider
        Where it runs.
    pad_token
        Id that fills a batch.
    """

    def __init__(self, graph: Path | bytes, provider: Provider, pad_token: int) -> None:
        self.session = open_session(graph, provider)
        self._device: Provider = provider
        self._fill = {"input_ids": pad_token}
        self._types = {tensor.name: DTYPES[tensor.type] for tensor in self.session.get_inputs()}
        self._widths = {tensor.name: int(tensor.shape[-1]) for tensor in self.session.get_outputs()}
        self._kept: dict[tuple[int, int, str], Bound] = {}

    def run(self, feed: Mapping[str, npt.NDArray[np.generic]], height: int, width: int, output: str) -> Floats:
        """Vectors of one batch.

        Parameters
        ----------
        feed
            The graph's inputs, int [n, columns] each, n at most `height`, columns at most `width`.
        height, width
            Shape that the batch is padded to.
        output
            Output of the graph.

        Returns
        -------
        float32 [n, width of output]
        """
        key = (height, width, output)
        bound = self._kept.get(key) or self._kept.setdefault(key, self._bind(*key))
        for name, host in bound.host.items():
            rows, columns = feed[name].shape
            host.fill(self._fill.get(name, 0))
            host[:rows, :columns] = feed[name]
            if name == MASK:
                host[rows:, 0] = 1  # attention over nothing at all is not a number
            bound.inputs[name].update_inplace(host)
        self.session.run_with_iobinding(bound.binding)
        vectors: Floats = bound.output.numpy()[: len(feed[MASK])]
        return vectors.copy()

    def _bind(self, height: int, width: int, output: str) -> Bound:
        def taken(columns: int, dtype: npt.DTypeLike) -> ort.OrtValue:
            return ort.OrtValue.ortvalue_from_shape_and_type([height, columns], dtype, self._device, 0)

        inputs = {name: taken(width, dtype) for name, dtype in self._types.items()}
        result = taken(self._widths[output], np.float32)
        binding = self.session.io_binding()
        for name, value in inputs.items():
            binding.bind_ortvalue_input(name, value)
        binding.bind_ortvalue_output(output, result)
        host = {name: np.zeros((height, width), dtype) for name, dtype in self._types.items()}
        return Bound(host, inputs, result, binding)
