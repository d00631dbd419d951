"""Query vectors of many users through the PyTorch refiner, batched by length; knows tensors alone."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from engine_models.refiner import Refiner
from engine_models.split import Ints
from engine_models.windows import Events, gather
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
    begin = np.maximum(first, stop - refiner.shape.max_events)
    queries = torch.zeros(len(first), refiner.shape.dim, device=vectors.device)
    for rows in cut_batches(stop - begin, BATCH_EVENTS):
        batch = gather(events, begin[rows], (stop - begin)[rows])
        query = refiner(vectors[batch.items], batch.types, batch.values, batch.gaps, batch.mask)[0]
        queries[torch.from_numpy(rows).to(vectors.device)] = query
    return queries
