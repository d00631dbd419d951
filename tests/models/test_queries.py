"""Queries of many users at once."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from engine_models import queries
from engine_models.corpus import events_of
from engine_models.queries import last_queries
from engine_models.refiner import Refiner
from engine_runtime.artefacts.dataset import Scale
from engine_runtime.artefacts.run import RefinerShape
from engine_runtime.data.histories import histories_from
from planted import corpus_of


@pytest.mark.parametrize("budget", [8192, 7])
def test_queries_are_those_of_each_user_alone(monkeypatch: pytest.MonkeyPatch, budget: int) -> None:
    """However users are batched, each has the query of the newest events before its stop, in the order asked for."""
    monkeypatch.setattr(queries, "BATCH_EVENTS", budget)
    torch.manual_seed(0)
    refiner = Refiner(RefinerShape(8, 8, 8, 1, 2, 5, 1, 4)).eval()
    torch.nn.init.normal_(refiner.blocks[0].attention.distance)  # type: ignore[union-attr, arg-type]
    vectors = torch.randn(9, 8)
    lengths = (1, 9, 4, 6, 2)
    generator = np.random.default_rng(0)
    walks = [generator.integers(0, 9, length).tolist() for length in lengths]
    times = [np.cumsum(generator.integers(1, 9, length)).tolist() for length in lengths]
    scale = Scale(0.0, 1.0, False)
    split = corpus_of(histories_from(walks, times=times), 9).split
    events = events_of(split, scale, scale, torch.device("cpu"))
    users, stops = np.array([3, 1, 0, 4, 2]), np.array([6, 8, 1, 2, 3])
    first = split.histories.offsets[users]
    found = last_queries(refiner, vectors, events, first, first + stops)
    for row, (begin, stop) in enumerate(zip(first, first + stops, strict=True)):
        rows = slice(max(begin, stop - 5), stop)
        with torch.no_grad():
            parts = (vectors[events.items[rows]], events.types[rows], events.values[rows], events.gaps[rows])
            alone = refiner(*(part[None] for part in parts), torch.ones(1, rows.stop - rows.start))[0]
        assert torch.allclose(found[row], alone[0], atol=1e-5)
