"""What can be said of a bundle, its index and a data set without a clock: the same on every run, so a gate can hold it.

Knows the engine, its batches and its graphs; knows nothing of time. A change that makes one of these worse makes the
engine slower or worse on any machine.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from engine_bench.quality import batch_dependence
from engine_bench.suite.graphs import GraphFacts, graph_facts
from engine_bench.suite.quality import histories_for, spread_evenly
from engine_export.encoder import item_texts
from engine_runtime.artefacts.dataset import Dataset
from engine_runtime.artefacts.index import IndexArtefact
from engine_runtime.data.histories import Histories
from engine_runtime.errors import InputError, UsageError
from engine_runtime.inference.tokenizer import Tokenizer
from engine_runtime.inference.windows import distinct, windows
from engine_runtime.search.building import RECALL_AT
from engine_runtime.search.recall import exact_scores, recall_at
from engine_runtime.serve.engine import Engine

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]

PROBES = 1000
LONE = 20
MIXTURES = 10
MOST_OTHERS = 44


@dataclass(frozen=True)
class Work:
    """What a model is given.

    Attributes
    ----------
    rows
        Distinct texts, or users with events.
    batches
        Batches that they are run in.
    real
        Tokens of all texts, or events that are read of all histories.
    padded
        Positions that are computed for them.
    """

    rows: int
    batches: int
    real: int
    padded: int


@dataclass(frozen=True)
class Facts:
    """A bundle, its index and a data set.

    Attributes
    ----------
    precision
        The variant.
    texts, histories
        All texts and all histories of the data set, as the encoder and the refiner get them.
    encoder, refiner
        Their graphs.
    sizes
        Bytes of each file of the bundle and the index, as ``bundle encoder.int8.onnx``.
    recall
        Share of the exact ten nearest that the index finds for users' queries; ties count.
    text_invariance, history_invariance
        Greatest difference in any number of a vector or a query between one alone and one among others.
    """

    precision: str
    texts: Work
    histories: Work
    encoder: GraphFacts
    refiner: GraphFacts
    sizes: dict[str, int]
    recall: float
    text_invariance: float
    history_invariance: float


def find_facts(engine: Engine, index: IndexArtefact, dataset: Dataset, seed: int = 0) -> Facts:
    """All facts.

    Parameters
    ----------
    engine
        With `index`, on a CPU.
    index
        The artefact.
    dataset
        Its texts and histories.
    seed
        Chooses the users and the texts that are tried.

    Raises
    ------
    UsageError
        The engine runs on a GPU, where batches and sums depend on the device.
    InputError
        The data set has no text, or no history of items of the index.
    """
    if engine.provider != "cpu":
        raise UsageError(
            "facts are found on a CPU: on a GPU batches and sums depend on the device. Use --target cpu-any."
        )
    texts, _ = distinct(item_texts(dataset))
    histories = histories_for(engine, dataset)
    users = np.flatnonzero(histories.n_ordered)
    if not texts or not len(users):
        raise InputError(f"{dataset.root} has no text, or no event of an item of the index. Give the index's data set.")
    asked = histories.take(users[spread_evenly(len(users), PROBES, seed)])
    bundle = engine.bundle
    return Facts(
        precision=engine.precision,
        texts=text_work(engine, texts),
        histories=history_work(engine, histories),
        encoder=graph_facts(bundle.encoder(engine.precision)),
        refiner=graph_facts(bundle.refiner(engine.precision)),
        sizes={
            f"{manifest.kind} {name}": file.size
            for manifest in (bundle.manifest, index.manifest)
            for name, file in manifest.files.items()
        },
        recall=recall(engine, asked),
        text_invariance=text_invariance(engine.encode, texts, seed),
        history_invariance=history_invariance(engine, asked),
    )


def text_work(engine: Engine, texts: Sequence[str]) -> Work:
    """What the encoder computes for distinct texts, window by window as it does in earnest."""
    encoder, tokenize = engine.encoder, Tokenizer(engine.bundle.tokenizer, engine.info.encoder.max_tokens)
    found = Work(0, 0, 0, 0)
    for window in windows(texts):
        tokens = tokenize(window)
        found = _plus(found, work_of(tokens.lengths, encoder.cut(tokens)))
    return found


def history_work(engine: Engine, histories: Histories) -> Work:
    """What the refiner computes for all histories in one call."""
    lengths = np.minimum(histories.n_ordered, engine.info.shape.max_events)
    some = lengths[lengths > 0]
    return work_of(some, engine.refiner.cut(some))


def work_of(lengths: Ints, batches: Sequence[Ints]) -> Work:
    """Rows of so many positions, int64 [rows], run in such batches of them, each padded to its longest row."""
    padded = sum(len(batch) * int(lengths[batch].max()) for batch in batches)
    return Work(len(lengths), len(batches), int(lengths.sum()), padded)


def recall(engine: Engine, histories: Histories) -> float:
    """Recall at `RECALL_AT` of the engine's index, by the queries of some users."""
    index, queries = engine.shelf.index, engine.profile(histories).query
    count = min(RECALL_AT, int(index.rankable.sum()))
    return recall_at(exact_scores(index.vectors, index.rankable, queries, count), index.search(queries, count)[0])


def text_invariance(encode: Callable[[Sequence[str]], Floats], texts: Sequence[str], seed: int = 0) -> float:
    """Greatest difference between some texts alone and in front of `MIXTURES` random choices of others."""
    generator = np.random.default_rng(seed)
    lone = [texts[row] for row in spread_evenly(len(texts), LONE, seed)]
    sizes = generator.integers(1, min(MOST_OTHERS, len(texts)), MIXTURES, endpoint=True)
    mixtures = [[*lone, *(texts[row] for row in generator.choice(len(texts), size))] for size in sizes]
    alone = np.concatenate([encode([text]) for text in lone])
    mixed = np.concatenate([encode(mixture) for mixture in mixtures])
    return batch_dependence(alone, mixed, [len(mixture) for mixture in mixtures])


def history_invariance(engine: Engine, histories: Histories) -> float:
    """Greatest difference between the queries of some users alone and among all of `histories`."""
    together = engine.profile(histories).query
    rows = spread_evenly(len(histories), LONE, 0)
    alone = np.concatenate([engine.profile(histories.take([row])).query for row in rows])
    return float(np.abs(together[rows] - alone).max())


def _plus(one: Work, other: Work) -> Work:
    return Work(one.rows + other.rows, one.batches + other.batches, one.real + other.real, one.padded + other.padded)
