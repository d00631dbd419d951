"""Whole nights in turns, and what is made of them."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

import fake_nights
from engine_bench.seat import Contender
from engine_bench.serving.contest import OURS, Row, Times, compete, rate
from engine_runtime.errors import EngineError

TARGETS = np.arange(8, dtype=np.int32)


def nights(folder: Path, rounds: int = 2, **variants: str) -> tuple[dict[str, Row], dict[str, str]]:
    """A contest of fakes by name and variant."""
    np.save(folder / "targets.npy", TARGETS)
    contenders = {name: Contender(sys.executable, fake_nights.__file__, variant) for name, variant in variants.items()}
    rows, left_out = compete(contenders, folder, 1, TARGETS, fake_nights.N_ITEMS, rounds, lambda message: None)
    return {row.name: row for row in rows}, left_out


def test_speed_is_compared_within_rounds_and_the_timed_lists_are_judged(tmp_path: Path) -> None:
    """Times of users and of whole nights, ratios to ours by clock and CPU, and the quality of what was timed."""
    rows, left_out = nights(tmp_path, ours="right", slow="slow", wrong="empty", out="broken")
    assert list(rows) == [OURS, "slow", "wrong"]
    assert "no kernel" in left_out["out"]
    slow = rows["slow"]
    assert (slow.users, slow.whole) == (Times((4, 4), (8, 8)), Times((16, 16), (32, 32)))
    assert {each.median for each in (slow.ours_users, slow.ours_whole, slow.ours_users_cpu, slow.ours_whole_cpu)} == {4}
    assert rate(8, slow.users).median == 2
    assert (slow.n_users, slow.n_items, slow.peak, len(slow.laps)) == (8, 20, 10**8, 2)
    ours, wrong = rows[OURS].quality, rows["wrong"].quality
    assert ours is not None
    assert wrong is not None
    second = 1 / np.log2(3)
    assert (ours.ndcg.mean, ours.recall.mean, ours.ndcg_less_ours.mean) == pytest.approx((second, 1, 0))
    assert (wrong.ndcg.mean, wrong.ndcg_less_ours.mean) == pytest.approx((0, -second))


def test_who_reads_less_is_scaled_up_and_judged_on_the_same_users(tmp_path: Path) -> None:
    """Half the users count twice; without all items there is no quality to speak of."""
    rows, _ = nights(tmp_path, 1, ours="right", few="few", part="part")
    few, part = rows["few"], rows["part"]
    assert (few.n_users, few.users, few.whole) == (4, Times((2,), (4,)), Times((5,), (10,)))
    assert few.quality is not None
    assert few.quality.ndcg_less_ours.mean == 0
    assert (part.n_items, part.users, part.whole) == (10, Times((1,), (2,)), Times((7,), (14,)))
    assert part.quality is None


def test_without_ours_there_is_nothing_to_compare(tmp_path: Path) -> None:
    """Where ours cannot be loaded, the comparison fails and says why."""
    with pytest.raises(EngineError, match=r"ours did not run.*no kernel"):
        nights(tmp_path, 1, ours="broken", other="right")
