"""Recall against exact search, in blocks."""

from __future__ import annotations

import numpy as np
import pytest

from engine_runtime.search import recall
from engine_runtime.search.index import ExactIndex
from engine_runtime.search.recall import exact_scores, recall_at


def test_recall_counts_ties_as_found() -> None:
    """A found score as good as a wanted one counts, a worse one and a missing one do not."""
    wanted = np.array([[3.0, 2.0, 1.0]], np.float32)
    assert recall_at(wanted, wanted) == 1.0
    assert recall_at(wanted, np.array([[3.0, 1.0, 0.5]], np.float32)) == pytest.approx(2 / 3)
    assert recall_at(wanted, np.array([[3.0, -np.inf, -np.inf]], np.float32)) == pytest.approx(1 / 3)
    assert recall_at(wanted[:0], wanted[:0]) == 1.0


@pytest.mark.parametrize("block", [1, 3, 8192])
def test_scores_are_those_of_exact_search(monkeypatch: pytest.MonkeyPatch, block: int) -> None:
    """However small the blocks, the best scores over the rankable items are those of exact search."""
    monkeypatch.setattr(recall, "BLOCK_ROWS", block)
    drawn = np.random.default_rng(0).normal(size=(60, 8)).astype(np.float32)
    rankable = np.arange(50) % 3 > 0
    wanted, _ = ExactIndex(drawn[:50], rankable).search(drawn[50:], 10)
    assert np.allclose(exact_scores(drawn[:50], rankable, drawn[50:], 10), wanted, atol=1e-5)
    assert exact_scores(drawn[:50], rankable, drawn[:0], 10).shape == (0, 10)
