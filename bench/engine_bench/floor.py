"""The encoder beside its own integer products, in a fresh process: ``python -m engine_bench.floor``.

Knows the runtime's encoder and how it cuts texts into batches; knows nothing of how figures are shown. Rounds are
interleaved: the encoder, then the products of the very same batches.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from engine_bench.fresh import answer
from engine_bench.node_times import profile
from engine_bench.peers.contract import read_calls
from engine_bench.products import Products, operations, products_graph
from engine_models.corpus import evenly
from engine_runtime.artefacts.encoder import EncoderArtefact
from engine_runtime.inference.encoder import TextEncoder
from engine_runtime.inference.feed import DTYPES, encoder_feed
from engine_runtime.inference.session import open_session
from engine_runtime.inference.tokenizer import Tokenizer, Tokens
from engine_runtime.inference.windows import windows

PRECISION, INPUT, OUTPUT = "int8", "input_ids", "text"
PROFILED = 200

Batch = tuple[Tokens, npt.NDArray[np.int64]]


@dataclass(frozen=True)
class Question:
    """What is asked.

    Attributes
    ----------
    encoder
        Folder of the exported encoder.
    calls
        File of the texts; see `write_calls`.
    threads
        One-thread workers.
    rounds
        How often each is measured.
    """

    encoder: str
    calls: str
    threads: int
    rounds: int


@dataclass(frozen=True)
class Floor:
    """What was found.

    Attributes
    ----------
    tokens, positions
        Real tokens, and those with padding.
    wall, cpu
        Seconds of the clock and of all CPUs of each round of the encoder.
    products
        Seconds of the clock of each round of the products alone.
    operations
        Multiplications and additions of the products in a round.
    tokenization
        CPU seconds of tokenizing all texts.
    operators
        Seconds over all threads of each operator of the graph, for all batches; estimated from at most `PROFILED` of
        them.
    """

    tokens: int
    positions: int
    wall: tuple[float, ...]
    cpu: tuple[float, ...]
    products: tuple[float, ...]
    operations: float
    tokenization: float
    operators: dict[str, float]


def measure(question: Question) -> Floor:
    """Measure the encoder, its products, its nodes and its tokenizer."""
    artefact = EncoderArtefact.open(Path(question.encoder), verify=False)
    texts = [text for call in read_calls(Path(question.calls)) for text in call]
    encoder = TextEncoder.open(artefact, PRECISION, threads=question.threads)
    tokenize, cpu = Tokenizer(artefact.tokenizer, artefact.info.max_tokens), time.process_time()
    tokenized = [tokenize(window) for window in windows(texts)]
    tokenization = time.process_time() - cpu
    batches = [(tokens, rows) for tokens in tokenized for rows in encoder.cut(tokens)]
    shapes = [(len(rows), int(tokens.lengths[rows].max(initial=1))) for tokens, rows in batches]
    positions = sum(rows * width for rows, width in shapes)
    model = products_graph(artefact.graph(PRECISION))
    products = Products(model, question.threads, max(rows * width for rows, width in shapes))
    laps = [(*_timed(lambda: encoder.encode(texts)), products.seconds(shapes)) for _ in range(1 + question.rounds)]
    wall, cpus, alone = zip(*laps[1:], strict=True)  # the first one warms them up
    return Floor(
        tokens=sum(int(tokens.offsets[-1]) for tokens in tokenized),
        positions=positions,
        wall=wall,
        cpu=cpus,
        products=alone,
        operations=operations(model, shapes),
        tokenization=tokenization,
        operators=_operators(artefact, batches, question.threads, positions),
    )


def _operators(artefact: EncoderArtefact, batches: Sequence[Batch], threads: int, positions: int) -> dict[str, float]:
    graph, pad_token = artefact.graph(PRECISION), artefact.info.pad_token
    inputs = {tensor.name: DTYPES[tensor.type] for tensor in open_session(graph).get_inputs()}
    chosen = [batches[place] for place in evenly(len(batches), PROFILED)]
    feeds = [encoder_feed(tokens, rows, inputs, pad_token) for tokens, rows in chosen]
    found = profile(graph, feeds, OUTPUT, threads)
    scale = positions / sum(feed[INPUT].size for feed in feeds)
    return {operator: seconds * scale for operator, seconds in found.items()}


def _timed(work: Callable[[], object]) -> tuple[float, float]:
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - wall, time.process_time() - cpu


if __name__ == "__main__":
    answer(Question, measure)
