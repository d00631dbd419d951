"""Training windows: stretches of histories with the event that follows each of theirs, in batches of like length.

Knows tensors; knows nothing of models or losses.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from engine_runtime.inference.batching import cut_batches

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Events:
    """All training events, one user after another, on the device that trains.

    Attributes
    ----------
    items, types
        int64 [events].
    values, gaps
        float32 [events], scaled.
    is_target
        bool [events].
    """

    items: Tensor
    types: Tensor
    values: Tensor
    gaps: Tensor
    is_target: Tensor

    def where(self, mask: Tensor) -> Events:
        """The events of `mask`, bool [events], alone."""
        return Events(*(getattr(self, field.name)[mask] for field in fields(self)))


@dataclass(frozen=True)
class Batch:
    """Histories side by side, padded on the right; see `engine_runtime.inference.refiner` for the inputs.

    Attributes
    ----------
    items
        int64 [B, T].
    types, values, gaps, mask
        [B, T].
    targets
        int64 [B, T]: the item that follows; meaningless where `predicted` is False.
    predicted
        bool [B, T]: where the following event is one to learn.
    """

    items: Tensor
    types: Tensor
    values: Tensor
    gaps: Tensor
    mask: Tensor
    targets: Tensor
    predicted: Tensor


def cut_windows(offsets: Ints, stops: Ints, width: int) -> tuple[Ints, Ints]:
    """Cut the training parts of histories into windows, so that each event is predicted once.

    Parameters
    ----------
    offsets, stops
        int64 [users]: first event of each user, and the end of the training part.
    width
        Most inputs of a window.

    Returns
    -------
    starts : int64 [windows]
        First input.
    lengths : int64 [windows]
        Inputs; input i of a window predicts event ``start + i + 1``.
    """
    predicted = np.maximum(stops - offsets - 1, 0)
    counts = -(-predicted // width)
    owner = np.repeat(np.arange(len(offsets)), counts)
    number = np.arange(len(owner)) - np.repeat(np.cumsum(counts) - counts, counts)
    last = stops[owner] - 1 - number * width
    starts = np.maximum(last - width, offsets[owner])
    return starts, last - starts


def batches(starts: Ints, lengths: Ints, budget: int, generator: np.random.Generator) -> Iterator[tuple[Ints, Ints]]:
    """Windows in batches of at most `budget` padded positions, like lengths together, in random order."""
    order = generator.permutation(len(starts))
    cut = cut_batches(lengths[order], budget)
    for number in generator.permutation(len(cut)):
        rows = order[cut[number]]
        yield starts[rows], lengths[rows]


def gather(events: Events, starts: Ints, lengths: Ints) -> Batch:
    """Lay windows side by side."""
    device = events.items.device
    steps = torch.arange(int(lengths.max()), device=device)
    inside = steps < torch.from_numpy(lengths).to(device)[:, None]
    places = torch.where(inside, torch.from_numpy(starts).to(device)[:, None] + steps, 0)
    following = torch.where(inside, places + 1, 0).clamp(max=len(events.items) - 1)
    return Batch(
        items=events.items[places],
        types=events.types[places],
        values=events.values[places],
        gaps=events.gaps[places],
        mask=inside.float(),
        targets=events.items[following],
        predicted=inside & events.is_target[following],
    )
