"""Texts and successions by event, against plain sums."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

import tiny
from engine_runtime.search.evidence import rule_shares, start_share, text_shares

TABLE = tiny.table_of([{1: 2.0, 2: 1.0}, {3: 0.5}, {3: 4.0, 0: 1.0}, {}, {2: 3.0}])
FUSION = replace(tiny.FUSION, weight=0.5, decay=0.5, n_events=3, floor=0.3, text_weight=2.0, text_decay=0.5)
HISTORY = np.array([0, 1, 2, 0], np.int32)


def test_successions_are_shared_as_they_count() -> None:
    """Each of the newest events has of the logarithm what it has of the decayed sum; older ones have nothing."""
    found = rule_shares(HISTORY, np.array([3, 2, 1]), TABLE, FUSION)
    rule = 0.5 * 4.0 + 0.25 * 0.5
    score = 0.5 * math.log1p(rule / 0.3)
    assert found[0].tolist() == pytest.approx([0, score * 0.125 / rule, score * 2.0 / rule, 0])
    assert found[1].tolist() == pytest.approx([0, 0, 0, 0.5 * math.log1p(1.0 / 0.3)])
    assert found[2].tolist() == pytest.approx([0, 0, 0, 0.5 * math.log1p(2.0 / 0.3)])


def test_texts_are_shared_as_they_are_weighed() -> None:
    """Each of the newest events has its own decayed likeness."""
    directions = tiny.weights("directions", 4, 5)
    found = text_shares(HISTORY, np.array([3]), directions, FUSION)
    weights = np.array([0, 0.25, 0.5, 1]) / 1.75
    np.testing.assert_allclose(found[0], 2.0 * weights * (directions[HISTORY] @ directions[3]), rtol=1e-5)


def test_the_start_row_is_not_weighed() -> None:
    """What is popular is the logarithm of the start row; an item that is not in it has none."""
    assert start_share(np.array([2, 0]), TABLE, FUSION).tolist() == pytest.approx([math.log1p(3.0 / 0.3), 0])
