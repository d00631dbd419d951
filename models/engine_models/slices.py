"""Slices of the users on which a ranking is judged apart; knows histories and counts alone."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from engine_models.corpus import Corpus
from engine_runtime.data.schema import NO_TIME

Mask = npt.NDArray[np.bool_]
SHORT, LONG = 5, 20


def slices(corpus: Corpus) -> dict[str, Mask]:
    """Masks over the held-out users, bool [users] each, by name.

    ``tie-free``: the test event cannot have stood in another order. Where both last events have a time, the times
    differ; where not, the test item's number is the lower one, for logs that keep ties sorted by item would have put
    it first. ``cold items``: the test item has no event in the training part; ``other items``: it has one. Then three
    ranges of history length.
    """
    split = corpus.split
    test, valid = split.test, split.valid
    times, items = split.histories.times, split.histories.items
    timed = (times[test] != NO_TIME) & (times[valid] != NO_TIME)
    tie_free = np.where(timed, times[test] != times[valid], items[test] < items[valid])
    length = test - split.histories.offsets[split.users]
    return {
        "tie-free": tie_free,
        "cold items": corpus.popularity[items[test]] == 0,
        "other items": corpus.popularity[items[test]] > 0,
        f"history up to {SHORT}": length <= SHORT,
        f"history {SHORT + 1} to {LONG}": (length > SHORT) & (length <= LONG),
        f"history over {LONG}": length > LONG,
    }
