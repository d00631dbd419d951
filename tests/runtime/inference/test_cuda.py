"""A graph on a device: on the CPU, where the same steps run everywhere, and on a GPU where there is one."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

import tiny
from engine_runtime.errors import MachineError
from engine_runtime.inference.cuda import DeviceEncoder
from engine_runtime.inference.machine import this_machine
from engine_runtime.inference.session import Provider

NO_DEVICE = "no CUDA device is found on this machine"
on_cuda = pytest.mark.skipif("cuda" not in this_machine().providers, reason=NO_DEVICE)
DEVICES = ["cpu", pytest.param("cuda", marks=on_cuda)]

TEXTS = ["red", "green tea cup", "blue lamp"]


def feed_of(texts: list[str]) -> dict[str, npt.NDArray[np.generic]]:
    """The tiny graph's inputs for texts of known words, padded to the longest of them."""
    rows = [[2, *(4 + tiny.WORDS.index(word) for word in text.split()), 3] for text in texts]
    width = max(map(len, rows))
    return {
        "input_ids": np.array([row + [0] * (width - len(row)) for row in rows]),
        "attention_mask": np.array([[1] * len(row) + [0] * (width - len(row)) for row in rows]),
    }


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("space", ["text", "item"])
def test_vectors_are_those_of_each_text(device: Provider, space: str) -> None:
    """Whatever a batch is padded to, and whatever ran before, a text has its vector."""
    encoder = DeviceEncoder(tiny.encoder_graph(), device, 0)
    expected = tiny.encoded(TEXTS, space)
    for height, width, count in ((3, 5, 3), (4, 8, 3), (4, 8, 1), (8, 8, 2), (4, 8, 3)):
        found = encoder.run(feed_of(TEXTS[:count]), height, width, space)
        assert found.shape == (count, expected.shape[1])
        assert np.allclose(found, expected[:count], atol=1e-5)


@pytest.mark.parametrize("device", DEVICES)
def test_vectors_stay_when_the_next_batch_runs(device: Provider) -> None:
    """Memory is kept between batches; what was given out is not touched."""
    encoder = DeviceEncoder(tiny.encoder_graph(), device, 0)
    first = encoder.run(feed_of(TEXTS[:1]), 2, 8, "text")
    before = first.copy()
    encoder.run(feed_of(TEXTS[1:]), 2, 8, "text")
    assert np.array_equal(first, before)


@pytest.mark.parametrize("device", DEVICES)
def test_memory_is_taken_once_a_shape(device: Provider) -> None:
    """A shape that comes again uses the memory that it was given first."""
    encoder = DeviceEncoder(tiny.encoder_graph(), device, 0)
    for height in (2, 4, 2, 4, 2):
        encoder.run(feed_of(TEXTS[:2]), height, 8, "text")
    assert len(encoder._kept) == 2


@pytest.mark.parametrize("device", DEVICES)
def test_rows_of_padding_attend_to_something(device: Provider) -> None:
    """A row without a text has one token to look at, so that nothing is divided by nothing."""
    encoder = DeviceEncoder(tiny.encoder_graph(), device, 0)
    encoder.run(feed_of(TEXTS[:1]), 4, 8, "text")
    (kept,) = encoder._kept.values()
    assert kept.host["attention_mask"].sum(axis=1).tolist() == [3, 1, 1, 1]


@on_cuda
def test_a_session_on_cuda_is_on_cuda() -> None:
    """Where there is a device, the session is there."""
    assert DeviceEncoder(tiny.encoder_graph(), "cuda", 0).session.get_providers()[0] == "CUDAExecutionProvider"


@pytest.mark.skipif("cuda" in this_machine().providers, reason="there is a CUDA device on this machine")
def test_without_a_device_cuda_is_refused() -> None:
    """Asked for CUDA where there is none, nothing runs on the CPU instead."""
    with pytest.raises(MachineError, match="CUDAExecutionProvider"):
        DeviceEncoder(tiny.encoder_graph(), "cuda", 0)
