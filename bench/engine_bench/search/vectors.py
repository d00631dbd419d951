"""What is searched and what is asked: an index's own vectors with its users' queries, or vectors of a stated model.

Knows artefacts and arrays; knows nothing of contenders. Queries that settings are chosen on and queries that are timed
are never the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from engine_models.corpus import evenly
from engine_runtime import Engine
from engine_runtime.artefacts.dataset import Dataset
from engine_runtime.artefacts.index import IndexArtefact
from engine_runtime.artefacts.manifest import check_parent
from engine_runtime.data.stored import read_histories
from engine_runtime.errors import InputError
from engine_runtime.inference.session import available_cpus
from engine_runtime.serve.engine import check_event_types

Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.floating[Any]]

TOPICS, CLUSTER_ITEMS = 256, 12
OWN_TOPIC, OWN_CLUSTER = 1.0, 1.0
DECAY, COMMON, NORM_SIGMA = 0.15, 0.3, 0.12
TASTES, STRAY = 3, 1.2
BLOCK = 65_536
LEAST_QUERIES = 20


@dataclass(frozen=True)
class Field:
    """What is searched, and with what.

    Attributes
    ----------
    origin
        Where it came from, for people.
    items
        float32 [n, d].
    queries
        float32 [q, d].
    """

    origin: str
    items: Floats
    queries: Floats


def synthetic(n_items: int, dim: int, n_queries: int, seed: int) -> Field:
    """Vectors as this engine's are: clusters in topics, of Zipf's sizes, with a common part and varying norms.

    A topic is a direction; a cluster is its topic and a direction of its own; an item is its cluster and a direction of
    its own. Directions are Gaussian with a spectrum that falls as a power of the dimension's number. Each item has unit
    length before the common part is added, then a lognormal norm. A query is a mixture of the clusters of three items,
    drawn as items are, and a direction of its own. Searched by inner product.

    Parameters
    ----------
    n_items, dim
        How many, and their width.
    n_queries
        How many ask.
    seed
        The same seed gives the same vectors.
    """
    draw = np.random.default_rng(seed)
    scale = np.power(1.0 + np.arange(dim), -DECAY)
    count = max(1, n_items // CLUSTER_ITEMS)
    topics = _directions(draw, min(TOPICS, count), scale)
    clusters = _unit(topics[draw.integers(len(topics), size=count)] + OWN_TOPIC * _directions(draw, count, scale))
    shares = 1 / (np.arange(count) + 10.0)
    shares /= shares.sum()
    common = COMMON * _directions(draw, 1, scale)
    items = np.empty((n_items, dim), np.float32)
    for start in range(0, n_items, BLOCK):
        size = min(BLOCK, n_items - start)
        chosen = clusters[draw.choice(count, size, p=shares)]
        raw = _unit(chosen + OWN_CLUSTER * _directions(draw, size, scale)) + common
        items[start : start + size] = raw * draw.lognormal(0, NORM_SIGMA, (size, 1))
    weights = draw.dirichlet(np.ones(TASTES), n_queries)
    tastes = np.einsum("nt,ntd->nd", weights, clusters[draw.choice(count, (n_queries, TASTES), p=shares)])
    asked = (_unit(tastes) + STRAY * _directions(draw, n_queries, scale)).astype(np.float32)
    origin = f"synthetic, seed {seed}: {count:,} clusters in {len(topics)} topics, norms lognormal {NORM_SIGMA}"
    return Field(origin, items, asked)


def of_index(index: Path, bundle: Path, dataset: Path, n_queries: int) -> Field:
    """The rankable vectors of an index, and queries of the users of its data set.

    Where there are fewer users than asked for, all are taken.

    Raises
    ------
    ArtefactError
        The three do not belong together.
    InputError
        There are too few users with an ordered event.
    """
    artefact, data = IndexArtefact.open(index), Dataset.open(dataset)
    check_parent(artefact.root, artefact.manifest, "dataset", data.manifest.digest)
    engine = Engine.load(bundle, index, threads=available_cpus())
    check_event_types(engine.info, data)
    histories = read_histories(data)
    some = np.flatnonzero(histories.n_ordered)
    if len(some) < LEAST_QUERIES:
        raise InputError(f"{dataset} has {len(some)} users with an ordered event; {LEAST_QUERIES} are the least.")
    users = some[evenly(len(some), min(len(some), n_queries))]
    asked = engine.profile(histories.take(users)).query
    mixed = np.random.default_rng(0).permutation(len(asked))  # the first ones are asked singly
    shelved = engine.shelf.index
    origin = f"index {artefact.manifest.digest[:12]}, queries of {len(users):,} of its users"
    return Field(origin, shelved.vectors[shelved.rankable], asked[mixed])


def _directions(draw: np.random.Generator, count: int, scale: Doubles) -> Doubles:
    return _unit(draw.standard_normal((count, len(scale))) * scale)


def _unit(rows: Doubles) -> Doubles:
    unit: Doubles = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return unit
