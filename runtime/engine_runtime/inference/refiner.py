"""Histories to queries and profiles through the refiner graph.

Knows arrays and sessions; knows nothing of files, items' names or rankings. The graph takes, padded on the right,

=========  ==================  ==================================================
input      type and shape
=========  ==================  ==================================================
vectors    float32 [B, T, d]   item vectors
types      int64 [B, T]        event types
values     float32 [B, T]      scaled values, 0 where there is none
gaps       float32 [B, T]      scaled time since the event before, 0 where unknown
mask       float32 [B, T]      1 on events, 0 on padding
=========  ==================  ==================================================

and gives ``query`` [B, d], ``profile`` [B, C] and ``concepts`` [B, T, C], all float32.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from engine_runtime.artefacts.run import RefinerShape
from engine_runtime.data.histories import ModelInputs
from engine_runtime.errors import ArtefactError
from engine_runtime.inference.batching import cut_batches, pad_rows
from engine_runtime.inference.session import Provider, available_cpus, open_session

Floats = npt.NDArray[np.float32]

BUDGETS: dict[Provider, int] = {"cpu": 1024, "cuda": 65536}


@dataclass(frozen=True)
class Refined:
    """What the refiner makes of users.

    Attributes
    ----------
    query
        q_u: float32 [users, d]; zero for a user without events.
    profile
        z_u: float32 [users, C], each row sums to 1; zero for a user without events.
    """

    query: Floats
    profile: Floats


class Refiner:
    """A refiner ready to run.

    Parameters
    ----------
    graph
        The refiner graph of a bundle.
    shape
        Its sizes.
    provider
        Where it runs.
    threads
        Worker threads on a CPU; all available if None.
    """

    def __init__(
        self,
        graph: Path | bytes,
        shape: RefinerShape,
        *,
        provider: Provider = "cpu",
        threads: int | None = None,
    ) -> None:
        self.shape = shape
        self._session = open_session(graph, provider)
        self._budget = BUDGETS[provider]
        self._workers = 1 if provider == "cuda" else threads or available_cpus()

    def refine(self, inputs: ModelInputs, item_vectors: Floats) -> Refined:
        """Refine histories into queries and profiles.

        Parameters
        ----------
        inputs
            Events of the users; of a long history the newest ``shape.max_events`` are read.
        item_vectors
            float32 [items, d].

        Raises
        ------
        ArtefactError
            A result is not finite.
        """
        lengths = np.minimum(np.diff(inputs.offsets), self.shape.max_events)
        some = np.flatnonzero(lengths)
        query = np.zeros((len(lengths), self.shape.dim), np.float32)
        profile = np.zeros((len(lengths), self.shape.n_concepts), np.float32)

        def run(batch: npt.NDArray[np.int64]) -> None:
            users = some[batch]
            feed = self.feed(inputs, item_vectors, users)
            query[users], profile[users] = self._session.run(["query", "profile"], feed)

        with ThreadPoolExecutor(self._workers) as pool:
            list(pool.map(run, cut_batches(lengths[some], self._budget)))
        if not (np.isfinite(query).all() and np.isfinite(profile).all()):
            raise ArtefactError("the refiner gave a vector that is not finite. Export it again, or use fp32.")
        return Refined(query, profile)

    def concepts(self, inputs: ModelInputs, item_vectors: Floats, user: int) -> Floats:
        """p'_t of one user's newest events: float32 [events read, C]; their mean is the profile."""
        feed = self.feed(inputs, item_vectors, np.array([user]))
        found = self._session.run(["concepts"], feed)[0][0]
        return np.asarray(found[feed["mask"][0] > 0], np.float32)

    def feed(
        self, inputs: ModelInputs, item_vectors: Floats, users: npt.NDArray[np.int64]
    ) -> dict[str, npt.NDArray[np.generic]]:
        """The graph's inputs for `users`, padded to the longest history among them."""
        lengths = np.minimum(inputs.offsets[users + 1] - inputs.offsets[users], self.shape.max_events)
        width = int(lengths.max(initial=1))

        def padded(values: npt.NDArray[np.generic]) -> npt.NDArray[np.generic]:
            return pad_rows(values, inputs.offsets, users, width, 0)

        mask = (np.arange(width) < lengths[:, None]).astype(np.float32)
        vectors = item_vectors[padded(inputs.items)]
        vectors *= mask[..., None]
        return {
            "vectors": vectors,
            "types": padded(inputs.types).astype(np.int64),
            "values": padded(inputs.values),
            "gaps": padded(inputs.gaps),
            "mask": mask,
        }
