"""Training windows: everything is predicted once, nothing held out is seen."""

from __future__ import annotations

from collections import Counter
from itertools import chain

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from engine_models.corpus import events_of
from engine_models.split import Split, leave_one_out
from engine_models.windows import batches, cut_windows, gather
from engine_runtime.artefacts.dataset import Scale
from engine_runtime.data.histories import histories_from

UNIT = Scale(0.0, 1.0, False)
TYPES = st.lists(st.lists(st.sampled_from((0, 0, 0, 1)), max_size=15), min_size=1, max_size=8)
Pairs = list[tuple[int, int, int]]


def split_of(types: list[list[int]]) -> Split:
    """A split whose events all have items of their own: the item is the event's number; type 1 is not to learn."""
    numbers = iter(range(10**6))
    histories = histories_from([[next(numbers) for _ in user] for user in types], types=types)
    return leave_one_out(histories, (1.0, 0.0), np.ones(max(histories.n_events, 1), np.bool_))


@given(TYPES, st.integers(1, 6))
def test_windows_predict_every_event_once(types: list[list[int]], width: int) -> None:
    """Each event of a training part but the first is predicted by one input, which is the event before it."""
    split = split_of(types)
    offsets, stops = split.histories.offsets[:-1], split.train_stops
    starts, lengths = cut_windows(offsets, stops, width)
    predicted = Counter(
        int(start) + step + 1 for start, length in zip(starts, lengths, strict=True) for step in range(length)
    )
    expected = {event for first, stop in zip(offsets, stops, strict=True) for event in range(first + 1, stop)}
    assert predicted == Counter(expected)
    assert ((lengths >= 1) & (lengths <= width)).all()
    owner = np.searchsorted(split.histories.offsets, starts, side="right") - 1
    assert (starts + lengths < stops[owner]).all()


@given(TYPES, st.integers(1, 6), st.integers(1, 40))
def test_batches_hold_no_held_out_event(types: list[list[int]], width: int, budget: int) -> None:
    """Over an epoch every event to learn is a target once; no validation or test event is an input or a target."""
    split = split_of(types)
    if not split.histories.n_events:
        return
    events = events_of(split, UNIT, UNIT, torch.device("cpu"))
    starts, lengths = cut_windows(split.histories.offsets[:-1], split.train_stops, width)
    inputs: set[int] = set()
    targets: list[int] = []
    for begin, size in batches(starts, lengths, budget, np.random.default_rng(0)):
        batch = gather(events, begin, size)
        assert batch.items.numel() <= max(budget, int(size.max()))
        assert torch.equal(batch.mask.sum(1).long(), torch.from_numpy(size))
        assert not bool((batch.predicted & (batch.mask == 0)).any())
        inside = batch.mask > 0
        assert torch.equal(batch.targets[inside], batch.items[inside] + 1)
        assert torch.equal(batch.types[inside], events.types[batch.items[inside]])
        inputs |= set(batch.items[inside].tolist())
        targets += batch.targets[batch.predicted].tolist()
    held = np.repeat(split.train_stops, split.histories.lengths) <= np.arange(split.histories.n_events)
    firsts = np.isin(np.arange(len(held)), split.histories.offsets[:-1])
    assert sorted(targets) == np.flatnonzero(~held & ~firsts & split.is_target).tolist()
    assert not (inputs | set(targets)) & set(np.flatnonzero(held).tolist())
    assert held[split.valid].all()
    assert held[split.test].all()


def test_newest_windows_are_full() -> None:
    """A long history is cut from its end, so that the newest events have the longest past."""
    starts, lengths = cut_windows(np.array([10]), np.array([18]), 3)
    assert list(zip(starts.tolist(), lengths.tolist(), strict=True)) == [(14, 3), (11, 3), (10, 1)]


def test_epochs_differ_and_repeat() -> None:
    """The order of the batches follows from the generator alone."""
    starts, lengths = np.arange(100), np.arange(100) % 9 + 1

    def order(seed: int) -> list[list[int]]:
        return [begin.tolist() for begin, _ in batches(starts, lengths, 30, np.random.default_rng(seed))]

    assert order(1) == order(1)
    assert order(1) != order(2)
    assert sorted(chain.from_iterable(order(1))) == starts.tolist()
