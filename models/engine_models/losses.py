"""Softmax losses over the catalogue: full, or over sampled items with the sampling corrected."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor


def full_softmax(queries: Tensor, items: Tensor, targets: Tensor, *, bfloat16: bool) -> Tensor:
    """Mean cross-entropy of the targets among all items.

    Parameters
    ----------
    queries
        float32 [n, d].
    items
        float32 [items, d].
    targets
        int64 [n].
    bfloat16
        Whether the product runs in bfloat16; the softmax is in float32 either way.
    """
    with torch.autocast(queries.device.type, torch.bfloat16, enabled=bfloat16):
        logits = queries @ items.T
    return F.cross_entropy(logits.float(), targets)


def sampled_softmax(queries: Tensor, items: Tensor, targets: Tensor, negatives: Tensor) -> Tensor:
    """Mean cross-entropy of the targets among sampled items.

    The partition function is estimated by importance sampling with a uniform proposal (Bengio and Senecal, 2008): the
    negatives count items over negatives times, so the loss estimates that of the full softmax.

    Parameters
    ----------
    queries, items, targets
        As in `full_softmax`.
    negatives
        int64 [k], drawn uniformly, shared by the batch; one that is a row's target is left out of that row.
    """
    # Not by indexing, whose gradients on a CPU depend on the threads' timing.
    positive = (queries * F.embedding(targets, items)).sum(-1, keepdim=True)
    others = queries @ F.embedding(negatives, items).T + math.log(len(items) / len(negatives))
    others = others.masked_fill(negatives[None, :] == targets[:, None], float("-inf"))
    logits = torch.cat((positive, others), 1)
    return F.cross_entropy(logits, torch.zeros_like(targets))
