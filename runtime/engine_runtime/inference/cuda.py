"""An encoder's session on a device, whose inputs and outputs lie in device memory that is kept.

Knows sessions, shapes and bindings; knows nothing of texts or tokenizing. For each shape of a padded batch the memory
is taken and bound once; a batch is then copied in, run, and its vectors copied out. The device may be the CPU, where
the same steps give the same vectors.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import onnxruntime as ort

from engine_runtime.errors import MachineError
from engine_runtime.inference.buckets import Buckets
from engine_runtime.inference.session import Provider

Floats = npt.NDArray[np.float32]

MASK = "attention_mask"


@dataclass(frozen=True)
class _Bound:
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

    host: dict[str, npt.NDArray[Any]]
    inputs: dict[str, ort.OrtValue]
    output: ort.OrtValue
    binding: ort.IOBinding


class DeviceSession:
    """A session ready to run an encoder's batches on a device, one at a time; threads take turns.

    Parameters
    ----------
    session
        Runs on `device`.
    device
        Where the memory is taken.
    buckets
        Say what a batch is padded to.
    pad_token
        Id that fills a batch.
    """

    def __init__(self, session: ort.InferenceSession, device: Provider, buckets: Buckets, pad_token: int) -> None:
        self.buckets = buckets
        self._session = session
        self._device: Provider = device
        self._fill = {"input_ids": pad_token}
        self._widths = {tensor.name: int(tensor.shape[-1]) for tensor in session.get_outputs()}
        self._kept: dict[tuple[int, int, str], _Bound] = {}
        self._turn = threading.Lock()

    def run(self, feed: Mapping[str, npt.NDArray[Any]], output: str) -> Floats:
        """Vectors of one batch.

        Parameters
        ----------
        feed
            The graph's inputs, int [rows, columns] each, ``attention_mask`` among them.
        output
            Output of the graph.

        Returns
        -------
        float32 [rows, width of output]

        Raises
        ------
        MachineError
            The device cannot run the batch: its memory is full, or a library is missing.
        """
        rows, columns = feed[MASK].shape
        key = (*self.buckets.shape(rows, columns), output)
        with self._turn:
            if key not in self._kept:
                self._kept[key] = self._bind(feed, *key)
            bound = self._kept[key]
            for name, host in bound.host.items():
                host.fill(self._fill.get(name, 0))
                host[:rows, :columns] = feed[name]
            bound.host[MASK][rows:, 0] = 1  # attention over nothing at all is not a number
            try:
                for name, host in bound.host.items():
                    bound.inputs[name].update_inplace(host)
                self._session.run_with_iobinding(bound.binding)
                return np.array(bound.output.numpy()[:rows])
            except Exception as error:  # ONNX Runtime's errors share no base class
                raise MachineError(
                    f"a batch of {key[0]} by {key[1]} tokens could not be run on {self._device}: {error}. See that "
                    "its libraries are there (pip install 'profile-engine[cuda]') and its memory is free, or use the "
                    "CPU."
                ) from error

    def _bind(self, feed: Mapping[str, npt.NDArray[Any]], height: int, width: int, output: str) -> _Bound:
        def taken(columns: int, dtype: npt.DTypeLike) -> ort.OrtValue:
            return ort.OrtValue.ortvalue_from_shape_and_type([height, columns], dtype, self._device, 0)

        host = {name: np.zeros((height, width), values.dtype) for name, values in feed.items()}
        inputs = {name: taken(width, values.dtype) for name, values in host.items()}
        result = taken(self._widths[output], np.float32)
        binding = self._session.io_binding()
        for name, value in inputs.items():
            binding.bind_ortvalue_input(name, value)
        binding.bind_ortvalue_output(output, result)
        return _Bound(host, inputs, result, binding)
