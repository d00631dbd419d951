"""How near vectors are, and how much they owe to their batch."""

from __future__ import annotations

import numpy as np
import pytest

from engine_bench import quality as module
from engine_bench.quality import batch_dependence, nearest, quality
from engine_export.compare import compare_vectors, neighbours

VECTORS = np.random.default_rng(0).standard_normal((40, 8)).astype(np.float32)
NOISY = (VECTORS + np.random.default_rng(1).standard_normal((40, 8)) / 2).astype(np.float32)


def test_neighbours_in_blocks_are_those_of_the_export(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same neighbours are found, whatever the block."""
    monkeypatch.setattr(module, "BLOCK", 7)
    assert np.array_equal(np.sort(nearest(VECTORS), axis=1), np.sort(neighbours(VECTORS), axis=1))


@pytest.mark.parametrize("rows", [1, 2, 11])
def test_few_rows_have_few_neighbours(rows: int) -> None:
    """There are never more neighbours than other rows."""
    assert nearest(VECTORS[:rows]).shape == (rows, min(10, rows - 1))


def test_measures_are_those_of_the_export() -> None:
    """Cosines and overlap are what the parity report would say."""
    found = quality(VECTORS, nearest(VECTORS), NOISY, 0.25)
    expected = compare_vectors(VECTORS, NOISY, 0.25)
    assert found == expected
    assert found.overlap < 1


def test_batch_dependence_is_the_greatest_difference() -> None:
    """Only the texts in front of each batch are compared, and the worst number of the worst batch counts."""
    alone = VECTORS[:3]
    first, second = VECTORS[:5].copy(), VECTORS[:4].copy()
    first[4] += 9  # not one of them
    assert batch_dependence(alone, np.concatenate([first, second]), [5, 4]) == 0
    second[2, 5] += 0.5
    assert batch_dependence(alone, np.concatenate([first, second]), [5, 4]) == pytest.approx(0.5)
