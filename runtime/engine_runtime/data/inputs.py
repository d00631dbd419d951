"""Histories cut into what a model reads: the newest events in known order, scaled.

Knows arrays and scales; knows nothing of files or of models.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from engine_runtime.data import schema
from engine_runtime.data.histories import Histories, Ints, offsets_of, sums, taken
from engine_runtime.data.scaling import scaled

if TYPE_CHECKING:
    from engine_runtime.artefacts.dataset import Scale


@dataclass(frozen=True)
class ModelInputs:
    """What a refiner reads of some histories: each user's newest ordered events.

    Attributes
    ----------
    offsets
        int64 [U + 1], as in `Histories`.
    items
        int32 [M].
    types
        int8 [M].
    values, gaps
        float32 [M], scaled; 0 where missing.
    events
        int64 [M], row of each event in the histories they come from.
    """

    offsets: Ints
    items: npt.NDArray[np.int32]
    types: npt.NDArray[np.int8]
    values: npt.NDArray[np.float32]
    gaps: npt.NDArray[np.float32]
    events: Ints

    def take(self, rows: npt.ArrayLike) -> ModelInputs:
        """The users in the given rows, in that order."""
        offsets, events = taken(self.offsets, np.asarray(rows, np.int64))
        rest = (getattr(self, field.name)[events] for field in fields(self) if field.name != "offsets")
        return ModelInputs(offsets, *rest)


def model_inputs(histories: Histories, value: Scale, gap: Scale, max_events: int) -> ModelInputs:
    """Cut histories into a model's inputs.

    Parameters
    ----------
    histories
        Of U users.
    value, gap
        Scales of the data set that the model was trained on.
    max_events
        Newest ordered events kept of each user; at least 1. A kept event's gap still reaches back to one that
        is not.

    Returns
    -------
    ModelInputs
        Events without a place in their history are left out.
    """
    ordered = histories.ordered
    counts = histories.n_ordered
    # ordered events come last, so the newest of them are each user's last rows
    starts = histories.offsets[1:] - np.minimum(counts, max_events)
    kept = ordered & (np.arange(histories.n_events) >= np.repeat(starts, histories.lengths))
    events = np.flatnonzero(kept)
    return ModelInputs(
        offsets=offsets_of(sums(kept, histories.offsets)),
        items=histories.items[events],
        types=histories.types[events],
        values=scaled(histories.values[events], value),
        gaps=scaled(gap_seconds(histories)[events], gap),
        events=events,
    )


def gap_seconds(histories: Histories) -> npt.NDArray[np.float64]:
    """Seconds since the same user's previous ordered event with a time.

    Returns
    -------
    float64 [N]
        Never negative; NaN for a user's first such event and for events without a time or a place.
    """
    gaps = np.full(histories.n_events, np.nan)
    timed = np.flatnonzero(histories.ordered & (histories.times != schema.NO_TIME))
    users, times = histories.rows[timed], histories.times[timed]
    same = users[1:] == users[:-1]
    gaps[timed[1:][same]] = np.maximum(np.diff(times)[same], 0)
    return gaps
