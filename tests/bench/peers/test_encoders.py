"""Every peer encodes: each on the tiny encoder, in a process of its own. A peer that is not installed is skipped."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from engine_bench.peers.contract import Floats, write_calls
from engine_bench.peers.handle import Handle
from engine_bench.peers.registry import EXACT, LATENCY, OPENVINO, PEERS, Known
from engine_export.compare import cosines
from fake_peers import MakeTask
from tiny_models import texts_of

TEXTS = [*texts_of(12), "", "a text of its own length"]
# The tiny encoder's random weights are harder on int8 than trained ones.
LEAST_COSINE = 0.9


def encoded(known: Known, make_task: MakeTask, tmp_path: Path) -> tuple[Floats, str]:
    """Vectors of the texts, and how the peer ran; skips where it is not installed."""
    if known.absent:
        pytest.skip(known.absent)
    target, vectors = known.target, tmp_path / "vectors.npy"
    calls = write_calls(tmp_path / "calls.json", [TEXTS])
    with Handle("one", target, make_task(target.rpartition(":")[2])) as handle:
        handle.prepare()
        handle.load()
        handle.encode(calls, vectors)
    assert handle.failed is None
    return np.load(vectors), handle.settings


@pytest.mark.parametrize(
    "known", [*PEERS.values(), LATENCY[OPENVINO]], ids=lambda known: known.target.rpartition(":")[2]
)
def test_a_peer_gives_the_vectors_of_the_same_weights(known: Known, make_task: MakeTask, tmp_path: Path) -> None:
    """Vectors have length 1, are in the order of the texts, and are near those of the float32 encoder."""
    found, settings = encoded(known, make_task, tmp_path)
    expected, _ = encoded(PEERS[EXACT], make_task, tmp_path)
    assert found.dtype == np.float32
    assert np.linalg.norm(found, axis=1) == pytest.approx(np.ones(len(TEXTS)), abs=1e-3)
    assert cosines(expected, found).min() > LEAST_COSINE
    assert settings
