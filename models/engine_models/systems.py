"""The systems that an evaluation asks: a run in PyTorch with exact search, parts of it alone, a bundle as it serves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import torch

from engine_models.corpus import Corpus, events_of
from engine_models.evaluation import Lists, System
from engine_models.metrics import DEPTH
from engine_models.model import load_model
from engine_models.queries import last_longings, last_queries
from engine_models.split import Ints, until
from engine_runtime import Engine
from engine_runtime.artefacts.run import Run
from engine_runtime.search.fusion import rank, wide_queries
from engine_runtime.search.index import ExactIndex
from engine_runtime.search.newcomers import Newcomers, lend_successors
from engine_runtime.search.successors import SuccessorTable

Ask = Callable[[Ints, Ints], npt.NDArray[np.float32]]
"""From users and the events to stop before to queries, float32 [n, d]."""


def run_system(run: Run, corpus: Corpus, *, fused: bool = True) -> System:
    """A run: float32 in PyTorch, every item scored; with or without the successor table."""
    return _ranking(run, corpus, _asking(run, corpus), fused=fused)


def run_ablations(run: Run, corpus: Corpus, seed: int = 0) -> dict[str, System]:
    """Parts of a run to be held against the model alone, and the whole without new items.

    The mean profile asks without h_T. The last event alone is a history cut to it; its item's vector is that without
    the refiner. A shuffled history has the users' events in random order, the gaps between them left in place: as good
    a ranking from it means that the order of the data says nothing.
    """
    model = load_model(run).refiner
    vectors = learned_vectors(run)
    tensor = torch.from_numpy(vectors)
    events = events_of(corpus.split, run.info.value, run.info.gap, torch.device("cpu"))
    mixed = shuffled(corpus, seed)

    def profile(users: Ints, stops: Ints) -> npt.NDArray[np.float32]:
        return last_longings(model, tensor, events, corpus.split.histories.offsets[users], stops).numpy()

    def last_event(users: Ints, stops: Ints) -> npt.NDArray[np.float32]:
        return last_queries(model, tensor, events, stops - 1, stops).numpy()

    def last_item(users: Ints, stops: Ints) -> npt.NDArray[np.float32]:
        return np.asarray(vectors[corpus.split.histories.items[stops - 1]], np.float32)

    asks = {
        "mean profile alone": profile,
        "last event alone": last_event,
        "last item's vector alone": last_item,
        "shuffled history": _asking(run, mixed),
    }
    alone = {name: _ranking(run, corpus, ask, fused=False) for name, ask in asks.items()}
    warm = replace(corpus, rankable=corpus.rankable & (corpus.popularity > 0))
    return alone | {"the whole, no new items": _ranking(run, warm, _asking(run, corpus), fused=True)}


def shuffled(corpus: Corpus, seed: int = 0) -> Corpus:
    """The corpus with the events before each user's test event in random order; times stay where they are."""
    split = corpus.split
    histories = split.histories
    ends = histories.offsets[1:].copy()
    ends[split.users] = split.test
    places = np.arange(histories.n_events)
    moving = places < np.repeat(ends, histories.lengths)
    order = places.copy()
    drawn = np.random.default_rng(seed).random(int(moving.sum()))
    order[moving] = places[moving][np.lexsort((drawn, histories.rows[moving]))]
    moved = replace(
        histories, items=histories.items[order], types=histories.types[order], values=histories.values[order]
    )
    return replace(corpus, split=replace(split, histories=moved, is_target=split.is_target[order]))


def bundle_system(engine: Engine, corpus: Corpus) -> System:
    """A bundle through the runtime, as it serves; the engine has the index of this data set."""

    def lists(users: Ints, stops: Ints) -> Lists:
        profiles = engine.profile(until(corpus.split.histories, users, stops))
        return engine.recommend(profiles, DEPTH).items

    return lists


def learned_vectors(run: Run) -> npt.NDArray[np.float32]:
    """What the refiner of a run reads of each item: float32 [items, d]."""
    return np.ascontiguousarray(np.load(run.vectors, allow_pickle=False)[:, : run.info.shape.dim])


def _asking(run: Run, corpus: Corpus) -> Ask:
    model = load_model(run).refiner
    vectors = torch.from_numpy(learned_vectors(run))
    events = events_of(corpus.split, run.info.value, run.info.gap, torch.device("cpu"))

    def ask(users: Ints, stops: Ints) -> npt.NDArray[np.float32]:
        return last_queries(model, vectors, events, corpus.split.histories.offsets[users], stops).numpy()

    return ask


def _ranking(run: Run, corpus: Corpus, ask: Ask, *, fused: bool) -> System:
    vectors = np.load(run.vectors, allow_pickle=False)
    index, directions = ExactIndex(vectors, corpus.rankable), vectors[:, run.info.shape.dim :]
    newcomers = Newcomers.load(run.newcomers)
    table = lend_successors(SuccessorTable.load(run.successors), newcomers)
    fusion = run.info.fusion if fused else run.info.fusion.alone()
    new = newcomers.mask(len(index.vectors))

    def lists(users: Ints, stops: Ints) -> Lists:
        seen = corpus.seen(users, stops)
        return rank(
            wide_queries(ask(users, stops), seen, directions, fusion), seen, index, table, fusion, DEPTH, new
        ).items

    return lists
