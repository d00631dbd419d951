"""Where the time and the memory of this engine's own encoder go, put together from what fresh processes have measured.

Knows the order of the steps; knows no peer, and nothing of how a result is shown.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from engine_bench import floor, startup, streaming
from engine_bench.fingerprint import Fingerprint
from engine_bench.floor import Floor
from engine_bench.fresh import ask
from engine_bench.node_times import by_kind
from engine_bench.peers.contract import write_calls
from engine_bench.rounds import Tell
from engine_bench.startup import Startup
from engine_bench.statistics import Spread, spread
from engine_bench.streaming import Streamed
from engine_bench.workload import Workload
from engine_export.parity import ParityReport, VectorParity
from engine_runtime.artefacts.encoder import EncoderArtefact

STARTS = 5
TOKENIZATION, REST, IDLE = "tokenization", "between the nodes", "idle, or waiting for a CPU"


@dataclass(frozen=True)
class Start:
    """One fresh process that encodes one text.

    Attributes
    ----------
    load
        Seconds from before tokenizer and session are made to the first vector.
    whole
        Seconds from the start of the process to the first vector: Python, imports and the check of the files included.
    """

    load: float
    whole: float


@dataclass(frozen=True)
class Anatomy:
    """What was measured of the encoder's int8 variant.

    Attributes
    ----------
    fingerprint
        What it was measured on.
    quality
        Of the same file, as its export measured it.
    texts, threads
        What was encoded, and by how many workers.
    floor
        The encoder beside its products, and its nodes.
    starts
        Fresh processes, one after another.
    streamed
        Fresh processes that encode very many texts.
    """

    fingerprint: Fingerprint
    quality: VectorParity
    texts: int
    threads: int
    floor: Floor
    starts: tuple[Start, ...]
    streamed: tuple[Streamed, ...]

    @property
    def speed(self) -> Spread:
        """Tokens a second, tokenization included."""
        return spread([self.floor.tokens / second for second in self.floor.wall])

    @property
    def products_speed(self) -> Spread:
        """Tokens a second if nothing but the products ran."""
        return spread([self.floor.tokens / second for second in self.floor.products])

    @property
    def parts(self) -> dict[str, float]:
        """Share of the workers' time in each part of the work; they sum to 1 unless measurements disagree."""
        return parts(self.floor, self.threads)


def parts(found: Floor, threads: int) -> dict[str, float]:
    """Share of the workers' time in each part: kinds of nodes, tokenization, what is between the nodes, and idling.

    The whole is `threads` times the clock; what the process spent beyond nodes and tokenizer is "between the nodes":
    batching, calls into ONNX Runtime, Python. A part that other measurements leave no room for is 0.
    """
    whole, cpu = threads * spread(found.wall).median, spread(found.cpu).median
    kinds = by_kind(found.operators)
    rest = max(cpu - sum(kinds.values()) - found.tokenization, 0.0)
    seconds = {**kinds, TOKENIZATION: found.tokenization, REST: rest, IDLE: max(whole - cpu, 0.0)}
    return {name: second / whole for name, second in seconds.items()}


def dissect(
    encoder: Path, workload: Workload, threads: int, rounds: int, memory_texts: Sequence[int], tell: Tell
) -> Anatomy:
    """Measure an exported encoder's int8 variant.

    Parameters
    ----------
    encoder
        Its folder, verified already.
    workload
        What it encodes.
    threads
        One-thread workers.
    rounds
        Of the encoder and its products in turn.
    memory_texts
        For each number, the memory of encoding so many texts is measured.
    tell
        Told what happens, a line at a time.

    Raises
    ------
    EngineError
        A process ended without an answer.
    """
    artefact, place = EncoderArtefact.open(encoder, verify=False), str(encoder)
    report = msgspec.json.decode(artefact.parity.read_bytes(), type=ParityReport)
    with tempfile.TemporaryDirectory(prefix="engine-bench-") as scratch:
        calls = write_calls(Path(scratch) / "texts.json", [workload.texts])
        tell(f"encoding {len(workload.texts):,} texts, and their products alone, {rounds} times in turn")
        question = floor.Question(place, calls, threads, rounds)
        found, _ = ask("engine_bench.floor", question, Floor, threads)
        tell(f"starting {STARTS} processes")
        starts = tuple(_start(startup.Question(place, workload.short, threads)) for _ in range(STARTS))
        streamed = []
        for count in memory_texts:
            tell(f"encoding {count:,} texts as a stream")
            asked = streaming.Question(place, calls, count, threads)
            streamed.append(ask("engine_bench.streaming", asked, Streamed, threads)[0])
    return Anatomy(
        fingerprint=Fingerprint.take(artefact),
        quality=report.text["int8"],
        texts=len(workload.texts),
        threads=threads,
        floor=found,
        starts=starts,
        streamed=tuple(streamed),
    )


def _start(question: startup.Question) -> Start:
    found, began = ask("engine_bench.startup", question, Startup, question.threads)
    return Start(found.done - found.opened, found.done - began)
