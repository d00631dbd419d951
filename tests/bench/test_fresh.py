"""Questions to fresh processes, and what the modules that answer them measure."""

from __future__ import annotations

import itertools
import time
from pathlib import Path

import pytest

from engine_bench import floor, startup, streaming
from engine_bench.floor import Floor
from engine_bench.fresh import ask
from engine_bench.peers.contract import write_calls
from engine_bench.startup import Startup
from engine_bench.streaming import Streamed, numbered
from engine_bench.workload import Workload
from engine_runtime.artefacts.encoder import EncoderArtefact
from engine_runtime.errors import EngineError
from engine_runtime.inference.encoder import TextEncoder


@pytest.fixture
def calls(workload: Workload, tmp_path: Path) -> str:
    return write_calls(tmp_path / "texts.json", [workload.texts])


def test_a_first_vector_takes_its_steps_in_order(encoder: EncoderArtefact, workload: Workload) -> None:
    """The process is started, opens the encoder and has a vector, by one clock; and it ends."""
    question = startup.Question(str(encoder.root), workload.short, 1)
    found, began = ask("engine_bench.startup", question, Startup, 1)
    assert began < found.opened < found.done < time.monotonic()


def test_a_stream_of_more_texts_than_there_are(encoder: EncoderArtefact, calls: str) -> None:
    """So many texts are encoded as were asked for."""
    question = streaming.Question(str(encoder.root), calls, 150, 1)
    found, _ = ask("engine_bench.streaming", question, Streamed, 1)
    assert found.texts == 150
    assert found.peak > 10_000_000


def test_texts_without_end_are_distinct() -> None:
    """The given ones come first, then numbered ones."""
    assert list(itertools.islice(numbered(["a", "b"]), 5)) == ["a", "b", "a 2", "b 2", "a 3"]


def test_a_missing_vector_is_an_error(encoder: EncoderArtefact, calls: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A runtime that loses texts is not measured."""
    monkeypatch.setattr(TextEncoder, "stream", lambda self, texts: iter([]))
    with pytest.raises(EngineError, match="5 texts gave 0 vectors"):
        streaming.measure(streaming.Question(str(encoder.root), calls, 5, 1))


def test_the_floor_is_of_the_same_batches(encoder: EncoderArtefact, workload: Workload, calls: str) -> None:
    """Rounds of the encoder and of its products are paired, and tokens are those of the workload."""
    found, _ = ask("engine_bench.floor", floor.Question(str(encoder.root), calls, 1, 2), Floor, 1)
    assert found.tokens == workload.tokens
    assert found.positions >= found.tokens
    assert len(found.wall) == len(found.cpu) == len(found.products) == 2
    assert found.operators["MatMulIntegerToFloat"] > 0
    assert found.operations > 0


def test_a_process_that_fails_says_why(tmp_path: Path) -> None:
    """The end of what it said is in the message."""
    with pytest.raises(EngineError, match=r"engine_bench\.startup ended with code 1: .*ArtefactError: no encoder in"):
        ask("engine_bench.startup", startup.Question(str(tmp_path), "x", 1), Startup, 1)
