"""Figures of the literature."""

from __future__ import annotations

from engine_models.published import PUBLISHED


def test_figures_are_shares_with_a_source() -> None:
    """Each row has a system, says where it stands, and ranks no better by NDCG than by recall; none stands twice."""
    for rows in PUBLISHED.values():
        assert all(row.system and row.source for row in rows)
        assert all(0 < row.ndcg <= row.recall < 1 for row in rows)
        assert len({(row.system, row.source) for row in rows}) == len(rows)
