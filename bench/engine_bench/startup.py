"""From nothing to a first vector, in a fresh process: ``python -m engine_bench.startup``.

Knows the runtime's encoder alone, and imports no more than one who serves with it would.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from engine_bench.fresh import answer
from engine_runtime.artefacts.encoder import EncoderArtefact
from engine_runtime.inference.encoder import TextEncoder


@dataclass(frozen=True)
class Question:
    """What is asked.

    Attributes
    ----------
    encoder
        Folder of the exported encoder.
    text
        What is encoded.
    threads
        One-thread workers.
    """

    encoder: str
    text: str
    threads: int


@dataclass(frozen=True)
class Startup:
    """Times by the clock of `time.monotonic`.

    Attributes
    ----------
    opened
        When the encoder's files had been verified, before tokenizer and session were made.
    done
        When the first vector was there.
    """

    opened: float
    done: float


def measure(question: Question) -> Startup:
    """Open an encoder and encode one text."""
    artefact = EncoderArtefact.open(Path(question.encoder))
    opened = time.monotonic()
    encoder = TextEncoder.open(artefact, "int8", threads=question.threads)
    encoder.encode([question.text])
    return Startup(opened, time.monotonic())


if __name__ == "__main__":
    answer(Question, measure)
