"""Leave-one-out: each user's last event is the test, the one before it the validation, the rest is for training.

Knows histories; knows nothing of models. Only events that a model learns to predict are held out: ordered, of a type
with positive weight, on an item that may be recommended. Users with fewer than three of those stay in training whole.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from engine_runtime.data.histories import Histories

Ints = npt.NDArray[np.int64]
MIN_TARGETS = 3


@dataclass(frozen=True)
class Split:
    """Where each user's history is cut.

    Attributes
    ----------
    histories
        Ordered events alone.
    is_target
        bool [events]: what a model learns to predict.
    users
        int64 [held out]: users with a test and a validation event.
    valid, test
        int64 [held out]: number of that event among the events of `histories`.
    """

    histories: Histories
    is_target: npt.NDArray[np.bool_]
    users: Ints
    valid: Ints
    test: Ints

    @property
    def train_stops(self) -> Ints:
        """End of each user's training part: int64 [users]."""
        stops = self.histories.offsets[1:].copy()
        stops[self.users] = self.valid
        return stops


def leave_one_out(histories: Histories, event_weights: npt.ArrayLike, rankable: npt.NDArray[np.bool_]) -> Split:
    """Split `histories`.

    Parameters
    ----------
    histories
        All events.
    event_weights
        Weight of each event type.
    rankable
        bool [items].
    """
    ordered = histories.where(histories.ordered)
    is_target = (np.asarray(event_weights)[ordered.types] > 0) & rankable[ordered.items]
    targets = np.flatnonzero(is_target)
    stops = np.searchsorted(targets, ordered.offsets[1:])
    starts = np.searchsorted(targets, ordered.offsets[:-1])
    users = np.flatnonzero(stops - starts >= MIN_TARGETS)
    return Split(ordered, is_target, users, targets[stops[users] - 2], targets[stops[users] - 1])


def until(histories: Histories, users: Ints, stops: Ints) -> Histories:
    """Some users' histories, each cut before the event numbered by `stops`, int64 [users]."""
    ends = histories.offsets[1:].copy()
    ends[users] = stops
    return histories.where(np.arange(histories.n_events) < np.repeat(ends, histories.lengths)).take(users)


def drawn(count: int, most: int, seed: int) -> Ints:
    """Numbers below `count`, rising: `most` drawn by `seed`, or all where there are no more."""
    if count <= most:
        return np.arange(count)
    return np.sort(np.random.default_rng(seed).choice(count, most, replace=False))
