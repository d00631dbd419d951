"""The systems that an evaluation asks: a run in PyTorch with exact search, a bundle as it serves."""

from __future__ import annotations

import numpy as np
import torch

from engine_models.corpus import Corpus, events_of
from engine_models.evaluation import Lists, System
from engine_models.metrics import DEPTH
from engine_models.model import load_model
from engine_models.queries import last_queries
from engine_models.split import Ints, until
from engine_runtime import Engine
from engine_runtime.artefacts.run import Run
from engine_runtime.search.fusion import rank
from engine_runtime.search.index import ExactIndex
from engine_runtime.search.successors import SuccessorTable


def run_system(run: Run, corpus: Corpus, *, fused: bool = True) -> System:
    """A run: float32 in PyTorch, every item scored; with or without the successor table."""
    refiner = load_model(run).refiner
    vectors = np.load(run.vectors, allow_pickle=False)
    index = ExactIndex(vectors, corpus.rankable)
    table = SuccessorTable.load(run.successors)
    fusion = run.info.fusion if fused else run.info.fusion.without_rule()
    events = events_of(corpus.split, run.info.value, run.info.gap, torch.device("cpu"))

    def lists(users: Ints, stops: Ints) -> Lists:
        first = corpus.split.histories.offsets[users]
        query = last_queries(refiner, torch.from_numpy(vectors), events, first, stops).numpy()
        return rank(query, corpus.seen(users, stops), index, table, fusion, DEPTH).items

    return lists


def bundle_system(engine: Engine, corpus: Corpus) -> System:
    """A bundle through the runtime, as it serves; the engine has the index of this data set."""

    def lists(users: Ints, stops: Ints) -> Lists:
        profiles = engine.profile(until(corpus.split.histories, users, stops))
        return engine.recommend(profiles, DEPTH).items

    return lists
