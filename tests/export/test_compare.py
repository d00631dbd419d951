"""Measuring how far vectors are from others."""

from __future__ import annotations

from typing import cast

import numpy as np
import pytest

from engine_export.compare import Ints, compare_vectors, cosines, invariance, neighbours, overlap, text_invariance
from engine_export.graph import Floats
from engine_runtime.inference.encoder import TextEncoder


def test_equal_vectors_are_equal() -> None:
    """Vectors compared with themselves have cosine 1 and all of their neighbours."""
    vectors = np.random.default_rng(0).standard_normal((30, 8)).astype(np.float32)
    found = compare_vectors(vectors, vectors, 0.0)
    assert found.cosine_min == pytest.approx(1)
    assert found.overlap == 1


def test_cosine_of_zero_vectors() -> None:
    """Two zero vectors agree; a zero vector and another do not."""
    zero, one = np.zeros((1, 3), np.float32), np.ones((1, 3), np.float32)
    assert cosines(zero, zero) == 1
    assert cosines(zero, one) == 0


def test_neighbours_are_the_nearest_others() -> None:
    """A row is no neighbour of itself, and few rows have few neighbours."""
    vectors = np.array([[1, 0], [1, 0.1], [0, 1]], np.float32)
    assert neighbours(vectors).tolist() == [[1, 2], [0, 2], [1, 0]]
    assert neighbours(vectors[:1]).shape == (1, 0)


def test_overlap_ignores_order() -> None:
    """Overlap is the share of one list in the other, in any order."""
    assert overlap(np.array([[1, 2, 3, 4]]), np.array([[4, 1, 8, 9]])) == 0.5


@pytest.mark.parametrize(("share", "expected"), [(0.0, 0.0), (1.0, 1.0)])
def test_dependence_on_the_batch_is_seen(share: float, expected: float) -> None:
    """Results that lose the mean over their batch are found out; those made row by row are not."""
    values = np.array([[0, 1], [2, 3], [1, 2]], np.float32)

    def results(rows: Ints) -> list[Floats]:
        return [values[rows], values[rows] - share * (values[rows].mean(axis=0) - values[rows])]

    assert invariance(3, results) == expected


class Counting:
    """Stands for an encoder: a vector says how many texts were in its batch, beyond 1 by `step`."""

    def __init__(self, step: float) -> None:
        self.step = step

    def encode(self, texts: list[str], output: str) -> Floats:
        """Vectors of `texts`: float32 [texts, 2]."""
        return np.full((len(texts), 2), 1 + self.step * (len(texts) > 1), np.float32)


@pytest.mark.parametrize("step", [0.0, 0.25])
def test_what_a_text_owes_to_its_batch_is_seen(step: float) -> None:
    """What a text's vector owes to the others in its batch is measured, and is 0 where it owes nothing."""
    encoder = cast("TextEncoder", Counting(step))
    assert text_invariance(encoder, [f"text {number}" for number in range(90)], "text") == step
