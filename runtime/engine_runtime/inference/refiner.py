"""Histories to queries and profiles through the refiner graph.

Knows arrays and sessions; knows nothing of files, items' names or rankings. Histories of one length share a batch, so
nothing is padded; events come before histories, which spares attention its transpositions. The graph takes

=========  ==================  ==================================================
input      type and shape
=========  ==================  ==================================================
vectors    float32 [T, B, d]   item vectors
types      int64 [T, B]        event types
values     float32 [T, B]      scaled values, 0 where there is none
gaps       float32 [T, B]      scaled time since the event before, 0 where unknown
=========  ==================  ==================================================

and gives ``query`` [B, d], ``profile`` [B, C], ``concepts`` [T, B, C] and ``last_state`` [B, d], all float32.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from engine_runtime.artefacts.run import RefinerShape
from engine_runtime.data.inputs import ModelInputs
from engine_runtime.errors import ArtefactError
from engine_runtime.inference.batching import cut_equal
from engine_runtime.inference.session import Provider
from engine_runtime.inference.workers import Workers

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]

INPUTS = frozenset({"vectors", "types", "values", "gaps"})

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
        self._workers = Workers(graph, provider, threads)
        self._budget = BUDGETS[provider]
        found = {given.name for given in self._workers.session().get_inputs()}
        if found != INPUTS:
            raise ArtefactError(
                f"the refiner's graph takes {', '.join(sorted(found))}, not {', '.join(sorted(INPUTS))}. "
                "Another version made it. Export the run again."
            )

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
        query, profile = self._run(inputs, item_vectors, {"query": self.shape.dim, "profile": self.shape.n_concepts})
        return Refined(query, profile)

    def last_states(self, inputs: ModelInputs, item_vectors: Floats) -> Floats:
        """h_T, the state after the newest event: float32 [users, d], zero for a user without events; see `refine`."""
        return self._run(inputs, item_vectors, {"last_state": self.shape.dim})[0]

    def _run(self, inputs: ModelInputs, item_vectors: Floats, widths: dict[str, int]) -> list[Floats]:
        """Outputs of the graph, named with their widths: float32 [users, width] each."""
        lengths = np.minimum(np.diff(inputs.offsets), self.shape.max_events)
        some = np.flatnonzero(lengths)
        outputs = [np.zeros((len(lengths), width), np.float32) for width in widths.values()]

        def run(batch: Ints) -> None:
            users = some[batch]
            feed = self.feed(inputs, item_vectors, users)
            for output, found in zip(outputs, self._workers.session().run(list(widths), feed), strict=True):
                output[users] = found

        batches = self.cut(lengths[some])
        if lengths.sum() <= self._budget:  # handing over would take longer than the work
            for batch in batches:
                run(batch)
        else:
            with self._workers.pool() as pool:
                list(pool.map(run, batches))
        if not all(np.isfinite(output).all() for output in outputs):
            raise ArtefactError("the refiner gave a vector that is not finite. Export it again, or use fp32.")
        return outputs

    def cut(self, lengths: Ints) -> list[Ints]:
        """The batches that histories of so many events, int64 [users], are run in: for each, int64 rows of users."""
        return cut_equal(lengths, self._budget)

    def concepts(self, inputs: ModelInputs, item_vectors: Floats, user: int) -> Floats:
        """p'_t of one user's newest events: float32 [events read, C]; their mean is the profile."""
        if inputs.offsets[user] == inputs.offsets[user + 1]:
            return np.zeros((0, self.shape.n_concepts), np.float32)
        feed = self.feed(inputs, item_vectors, np.array([user]))
        return np.asarray(self._workers.session().run(["concepts"], feed)[0][:, 0], np.float32)

    def feed(self, inputs: ModelInputs, item_vectors: Floats, users: Ints) -> dict[str, npt.NDArray[np.generic]]:
        """The graph's inputs for `users`, as many of whose events are read of one as of another."""
        stops = inputs.offsets[users + 1]
        length = min(int(stops[0] - inputs.offsets[users[0]]), self.shape.max_events)
        events = stops + np.arange(-length, 0)[:, None]
        return {
            "vectors": item_vectors[inputs.items[events]],
            "types": inputs.types[events].astype(np.int64),
            "values": inputs.values[events],
            "gaps": inputs.gaps[events],
        }
