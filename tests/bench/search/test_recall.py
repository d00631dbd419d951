"""How much was found, and the least breadth that finds enough."""

from __future__ import annotations

import numpy as np
import pytest

from engine_bench.search.recall import Yardstick, least_breadth

ITEMS = np.array([[3, 0], [2, 0], [2, 0], [1, 0], [0, 9]], np.float32)


@pytest.fixture
def yardstick() -> Yardstick:
    return Yardstick(ITEMS, np.array([[1, 0]], np.float32), 2)


@pytest.mark.parametrize(
    ("found", "recall"),
    [
        ([0, 1], 1),
        ([2, 0], 1),  # as good as item 1
        ([1, 2], 1),  # both score as well as the last one wanted
        ([0, 3], 0.5),
        ([0, 0], 0.5),  # once is enough
        ([0, -1], 0.5),
        ([-1, -1], 0),
        ([3, 4], 0),
    ],
)
def test_found_items_are_scored_here(yardstick: Yardstick, found: list[int], recall: float) -> None:
    """An item counts once, and if it scores as well as the last one wanted."""
    assert yardstick.recall(np.array([found])) == recall


@pytest.mark.parametrize("needed", [1, 10, 11, 40, 41, 2000, 4096, 8192])
def test_the_least_breadth(needed: int) -> None:
    """It is found to 1 in 64, is never too little, and is no less than what is to be found."""
    asked: list[int] = []

    def recall_at(ef: int) -> float:
        asked.append(ef)
        return 0.99 if ef >= needed else 0.5

    found = least_breadth(recall_at, 0.98, 10)
    assert found is not None
    assert max(needed, 10) <= found <= max(needed, 10) * 65 / 64
    assert len(asked) < 20
    assert min(asked) == 10


def test_no_breadth_is_enough() -> None:
    """Where the widest search misses the target, there is none."""
    assert least_breadth(lambda ef: 0.9, 0.98, 10) is None
