"""A graph on a device: on the CPU, where the same steps run everywhere, and on a GPU where there is one."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

import tiny
from engine_runtime.errors import MachineError
from engine_runtime.inference.buckets import Buckets
from engine_runtime.inference.cuda import DeviceSession
from engine_runtime.inference.encoder import TextEncoder
from engine_runtime.inference.machine import this_machine
from engine_runtime.inference.session import Provider, open_session

NO_DEVICE = "no CUDA device is found on this machine"
on_cuda = pytest.mark.skipif("cuda" not in this_machine().providers, reason=NO_DEVICE)
DEVICES = ["cpu", pytest.param("cuda", marks=on_cuda)]

# Wide enough for eight tokens, high enough for four texts.
BUCKETS = Buckets(8, 32)

TEXTS = ["red", "green tea cup", "blue lamp"]


def feed_of(texts: list[str]) -> dict[str, npt.NDArray[np.generic]]:
    """The tiny graph's inputs for texts of known words, padded to the longest of them."""
    rows = [[2, *(4 + tiny.WORDS.index(word) for word in text.split()), 3] for text in texts]
    width = max(map(len, rows))
    return {
        "input_ids": np.array([row + [0] * (width - len(row)) for row in rows]),
        "attention_mask": np.array([[1] * len(row) + [0] * (width - len(row)) for row in rows]),
    }


def opened(device: Provider, buckets: Buckets = BUCKETS) -> DeviceSession:
    """The tiny encoder on a device."""
    return DeviceSession(open_session(tiny.encoder_graph(), device), device, buckets, 0)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("space", ["text", "item"])
def test_vectors_are_those_of_each_text(device: Provider, space: str) -> None:
    """Whatever a batch is padded to, and whatever ran before, a text has its vector."""
    session = opened(device)
    expected = tiny.encoded(TEXTS, space)
    for count in (3, 1, 2, 3, 1):
        found = session.run(feed_of(TEXTS[:count]), space)
        assert found.shape == (count, expected.shape[1])
        assert np.allclose(found, expected[:count], atol=1e-5)


@pytest.mark.parametrize("device", DEVICES)
def test_vectors_stay_when_the_next_batch_runs(device: Provider) -> None:
    """Memory is kept between batches; what was given out is not touched."""
    session = opened(device)
    first = session.run(feed_of(TEXTS[:1]), "text")
    before = first.copy()
    session.run(feed_of(TEXTS[1:2]), "text")
    assert np.array_equal(first, before)


@pytest.mark.parametrize("device", DEVICES)
def test_memory_is_taken_once_a_shape(device: Provider) -> None:
    """A shape that comes again uses the memory that it was given first."""
    session = opened(device)
    for count in (2, 3, 2, 3, 2):
        session.run(feed_of(TEXTS[:count]), "text")
    assert [key[:2] for key in session._kept] == [(2, 8), (4, 8)]


@pytest.mark.parametrize("device", DEVICES)
def test_rows_of_padding_attend_to_something(device: Provider) -> None:
    """A row without a text has one token to look at, so that nothing is divided by nothing."""
    session = opened(device)
    session.run(feed_of(TEXTS), "text")
    (kept,) = session._kept.values()
    assert kept.host["attention_mask"].sum(axis=1).tolist() == [3, 5, 4, 1]


@pytest.mark.parametrize("device", DEVICES)
def test_threads_take_turns(device: Provider) -> None:
    """Several threads on one session get each their own vectors."""
    session = opened(device)
    expected = tiny.encoded(TEXTS)
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda row: session.run(feed_of([TEXTS[row % 3]]), "text")[0], range(60)))
    assert all(np.allclose(vector, expected[row % 3], atol=1e-5) for row, vector in enumerate(found))


def test_a_batch_that_cannot_be_run_is_a_machine_error() -> None:
    """What the device says is passed on, with the shape and what to do."""
    session = opened("cpu")
    beyond = feed_of(TEXTS) | {"input_ids": np.full((3, 5), 99)}
    with pytest.raises(
        MachineError, match=r"batch of 4 by 8 tokens could not be run on cpu: .*indices.*or use the CPU"
    ):
        session.run(beyond, "text")


@pytest.mark.parametrize("device", DEVICES)
def test_an_encoder_gives_the_same_through_a_device(device: Provider, tmp_path: Path) -> None:
    """Texts that go through buckets and bound memory have the vectors that they have without."""
    tokenizer = tiny.write_tokenizer(tmp_path / "tokenizer.json")
    texts = [" ".join(tiny.WORDS[start : start + 1 + start % 7]) for start in range(len(tiny.WORDS))]
    plain = TextEncoder(tiny.encoder_graph(), tokenizer, tiny.ENCODER)
    through = TextEncoder(tiny.encoder_graph(), tokenizer, tiny.ENCODER, provider=device, budget=32)
    through._device = through._device or opened(device)
    assert np.allclose(through.encode(texts), plain.encode(texts), atol=1e-5)
    assert through._device._kept


@pytest.mark.skipif("cuda" in this_machine().providers, reason="there is a CUDA device on this machine")
def test_without_a_device_cuda_is_refused(tmp_path: Path) -> None:
    """Asked for CUDA where there is none, nothing runs on the CPU instead."""
    tokenizer = tiny.write_tokenizer(tmp_path / "tokenizer.json")
    with pytest.raises(MachineError, match="CUDAExecutionProvider"):
        TextEncoder(tiny.encoder_graph(), tokenizer, tiny.ENCODER, provider="cuda")
