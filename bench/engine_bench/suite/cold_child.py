"""From nothing to a first vector, in a fresh process: ``python -m engine_bench.suite.cold_child``.

Knows the runtime alone, and imports no more than one who serves with it would.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

from engine_bench.fresh import answer
from engine_bench.memory import peak_memory
from engine_runtime.inference.session import Provider


@dataclass(frozen=True)
class Question:
    """What is asked: folders of bundle and index, how it runs, and the text that is encoded first."""

    bundle: str
    index: str
    precision: str
    provider: Provider
    threads: int
    text: str


@dataclass(frozen=True)
class Start:
    """Moments by the clock of `time.monotonic`, CPU seconds by then, and the most memory in bytes.

    Attributes
    ----------
    moments, cpu
        When the runtime was imported, bundle and index were loaded and verified, the encoder's session was open, and
        the first vector was there.
    peak
        Resident memory.
    """

    moments: tuple[float, float, float, float]
    cpu: tuple[float, float, float, float]
    peak: int


def measure(question: Question) -> Start:
    """Import, load, open, run."""
    from engine_runtime.serve.engine import Engine

    marks = [_now()]
    engine = Engine.load(question.bundle, question.index, question.precision, question.threads, question.provider)
    marks.append(_now())
    encoder = engine.encoder
    marks.append(_now())
    encoder.encode([question.text])
    marks.append(_now())
    one, two, three, four = marks
    return Start((one[0], two[0], three[0], four[0]), (one[1], two[1], three[1], four[1]), peak_memory())


def _now() -> tuple[float, float]:
    return time.monotonic(), time.process_time()


if __name__ == "__main__":
    answer(Question, measure)
