"""Query vectors of many users through the PyTorch refiner, batched by length; knows tensors alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

import numpy as np
import torch
from torch import Tensor

from engine_models.refiner import Refiner
from engine_models.split import Ints
from engine_models.windows import Batch, Events, gather
from engine_runtime.inference.batching import cut_batches

BATCH_EVENTS = 8192


@torch.inference_mode()
def last_queries(refiner: Refiner, vectors: Tensor, events: Events, first: Ints, stop: Ints) -> Tensor:
    """q_u of histories that begin with event `first` and end before event `stop`.

    Parameters
    ----------
    refiner
        In evaluation mode.
    vectors
        float32 [items, d].
    events
        All events.
    first, stop
        int64 [users]; every history holds an event.

    Returns
    -------
    float32 [users, d]
    """

    def query(batch: Batch) -> Tensor:
        return cast(Tensor, refiner(vectors[batch.items], batch.types, batch.values, batch.gaps, batch.mask)[0])

    return _each(query, refiner, vectors, events, first, stop)


@torch.inference_mode()
def last_longings(refiner: Refiner, vectors: Tensor, events: Events, first: Ints, stop: Ints) -> Tensor:
    """What the profiles alone ask for, see `Refiner.longing`: float32 [users, d]; parameters as of `last_queries`."""

    def longing(batch: Batch) -> Tensor:
        states = refiner.encode(vectors[batch.items], batch.types, batch.values, batch.gaps, batch.mask)
        return _last(refiner.longing(states, batch.mask), batch)

    return _each(longing, refiner, vectors, events, first, stop)


@torch.inference_mode()
def last_profiles(refiner: Refiner, vectors: Tensor, events: Events, first: Ints, stop: Ints) -> Tensor:
    """z_u: float32 [users, C]; parameters as of `last_queries`."""

    def profile(batch: Batch) -> Tensor:
        return cast(Tensor, refiner(vectors[batch.items], batch.types, batch.values, batch.gaps, batch.mask)[1])

    return _each(profile, refiner, vectors, events, first, stop)


def _each(
    ask: Callable[[Batch], Tensor], refiner: Refiner, vectors: Tensor, events: Events, first: Ints, stop: Ints
) -> Tensor:
    """Rows of `ask`, one for each user, in the users' order."""
    begin = np.maximum(first, stop - refiner.shape.max_events)
    cut = cut_batches(stop - begin, BATCH_EVENTS)
    if not cut:
        return torch.zeros(0, refiner.shape.dim, device=vectors.device)
    found = torch.cat([ask(gather(events, begin[rows], (stop - begin)[rows])) for rows in cut])
    order = torch.from_numpy(np.argsort(np.concatenate(cut))).to(vectors.device)
    return found[order]


def _last(states: Tensor, batch: Batch) -> Tensor:
    """The row of each history's last event: [B, T, d] -> [B, d]."""
    last = batch.mask.sum(1).long() - 1
    return states[torch.arange(len(states), device=states.device), last]
