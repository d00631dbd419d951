"""The memory of encoding very many texts, in a fresh process: ``python -m engine_bench.streaming``.

Knows the runtime's encoder alone. The texts are made as they are asked for, each different, and their vectors are
dropped, so that the memory is that of encoding.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count, islice
from pathlib import Path

from engine_bench.fresh import answer
from engine_bench.memory import peak_memory
from engine_bench.peers.contract import read_calls
from engine_runtime.artefacts.encoder import EncoderArtefact
from engine_runtime.errors import EngineError
from engine_runtime.inference.encoder import TextEncoder


@dataclass(frozen=True)
class Question:
    """What is asked.

    Attributes
    ----------
    encoder
        Folder of the exported encoder.
    calls
        File of the texts to make others of; see `write_calls`.
    texts
        How many are encoded.
    threads
        One-thread workers.
    """

    encoder: str
    calls: str
    texts: int
    threads: int


@dataclass(frozen=True)
class Streamed:
    """What was found.

    Attributes
    ----------
    texts
        How many were encoded.
    peak
        Most memory of the process, in bytes; 0 where the system does not tell.
    seconds
        Of the clock, for all of them.
    """

    texts: int
    peak: int
    seconds: float


def measure(question: Question) -> Streamed:
    """Encode a stream of texts; raises `EngineError` where a vector is missing."""
    artefact = EncoderArtefact.open(Path(question.encoder), verify=False)
    texts = [text for call in read_calls(Path(question.calls)) for text in call]
    encoder = TextEncoder.open(artefact, "int8", threads=question.threads)
    started = time.perf_counter()
    vectors = sum(len(block) for block in encoder.stream(islice(numbered(texts), question.texts)))
    seconds = time.perf_counter() - started
    if vectors != question.texts:
        raise EngineError(f"{question.texts} texts gave {vectors} vectors.")
    return Streamed(vectors, peak_memory(), seconds)


def numbered(texts: Sequence[str]) -> Iterator[str]:
    """Distinct texts without end: those given, then the same with 2, 3, .. after them."""
    yield from texts
    for number in count(2):
        for text in texts:
            yield f"{text} {number}"


if __name__ == "__main__":
    answer(Question, measure)
