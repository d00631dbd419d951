"""Sorting by whole numbers against sorting in plain Python."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from engine_runtime.search.order import Floats, best, fallen, falling, summed

SCORES = st.one_of(st.sampled_from([0.0, -0.0, 1.0, -1.0, -np.inf, np.inf]), st.floats(width=32, allow_nan=False))


@given(arrays.arrays(np.float32, st.tuples(st.integers(1, 4), st.integers(1, 90)), elements=SCORES), st.data())
def test_the_best_are_those_of_sorting(scores: Floats, data: st.DataObject) -> None:
    """The largest come first, equal ones by column, whatever the chunks in which a bound was looked for."""
    k = data.draw(st.integers(1, scores.shape[1]))
    columns, values = best(scores, k)
    for row, score in enumerate(scores.tolist()):
        wanted = sorted(range(len(score)), key=lambda column: (-score[column], column))[:k]
        assert columns[row].tolist() == wanted
        assert values[row].tolist() == [score[column] for column in wanted]


def test_ties_at_the_edge_go_by_column() -> None:
    """Which of several equal scores are among the k is their order, not chance."""
    scores = np.zeros((3, 1000), np.float32)
    scores[1, 500] = 1
    scores[2] = np.arange(1000)
    columns, values = best(scores, 3)
    assert columns.tolist() == [[0, 1, 2], [500, 0, 1], [999, 998, 997]]
    assert values.tolist() == [[0, 0, 0], [1, 0, 0], [999, 998, 997]]


@given(arrays.arrays(np.float32, st.integers(0, 9), elements=SCORES))
def test_codes_fall_as_scores_rise(scores: Floats) -> None:
    """Codes have 32 bits, the opposite order and the same ties, and give the scores back."""
    codes = falling(scores)
    assert fallen(codes).tolist() == scores.tolist()
    assert ((codes >= 0) & (codes < 2**32)).all()
    assert np.array_equal(codes[:, None] < codes, scores[:, None] > scores)


@given(st.lists(st.tuples(st.integers(0, 5) | st.just(2**40), st.sampled_from([0.25, 1.0, 3.0])), max_size=30))
def test_sums_are_those_of_a_dictionary(pairs: list[tuple[int, float]]) -> None:
    """Each key stands once, in order, with all its values."""
    wanted: dict[int, float] = {}
    for key, value in pairs:
        wanted[key] = wanted.get(key, 0.0) + value
    keys, sums = summed(np.array([key for key, _ in pairs], np.int64), np.array([value for _, value in pairs]))
    assert list(zip(keys.tolist(), sums.tolist(), strict=True)) == sorted(wanted.items())
