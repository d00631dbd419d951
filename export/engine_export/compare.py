"""Measuring how far vectors are from the ones that they should be.

Knows vectors and sessions; knows nothing of bars, or of how a graph was quantized.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from engine_export.graph import Floats
from engine_export.parity import VectorParity
from engine_runtime.inference.encoder import TextEncoder

NEIGHBOURS = 10
INVARIANCE_ROWS = 256
MIXED_ROWS = 128
MIXED_BATCHES = 50
MIXED_TEXTS = 64

Ints = npt.NDArray[np.int64]


def compare_vectors(expected: Floats, found: Floats, invariance: float) -> VectorParity:
    """Compare vectors of the same distinct texts, float32 [texts, dim] each."""
    cosine = cosines(expected, found)
    return VectorParity(
        cosine_mean=float(cosine.mean()),
        cosine_p1=float(np.percentile(cosine, 1)),
        cosine_min=float(cosine.min()),
        overlap=overlap(neighbours(expected), neighbours(found)),
        invariance=invariance,
    )


def cosines(left: Floats, right: Floats) -> Floats:
    """Cosine of each row of `left` to the same row of `right`: float64 [rows]; 1 between two zero vectors."""
    left, right = left.astype(np.float64), right.astype(np.float64)
    norms = np.linalg.norm(left, axis=1) * np.linalg.norm(right, axis=1)
    both_zero = ~left.any(axis=1) & ~right.any(axis=1)
    found: Floats = np.where(both_zero, 1, (left * right).sum(axis=1) / np.maximum(norms, 1e-30))
    return found


def neighbours(vectors: Floats, k: int = NEIGHBOURS) -> Ints:
    """The `k` nearest other rows of each row by cosine: int64 [rows, k], fewer columns where there are fewer rows."""
    unit = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-30)
    scores = unit @ unit.T
    np.fill_diagonal(scores, -np.inf)
    return top(scores, min(k, len(vectors) - 1))


def top(scores: Floats, k: int) -> Ints:
    """Columns of the `k` greatest scores of each row, greatest first; equal scores in the order of the columns."""
    return np.argsort(-scores, axis=1, kind="stable")[:, :k]


def overlap(left: Ints, right: Ints) -> float:
    """Mean share of each row of `left` that is also in the same row of `right`; 1 where rows are empty."""
    if left.shape[1] == 0:
        return 1.0
    return float((left[:, :, None] == right[:, None, :]).any(axis=2).mean())


def text_invariance(encoder: TextEncoder, texts: Sequence[str], output: str, seed: int = 0) -> float:
    """Greatest difference between a text alone and the same text in random batches of others.

    Parameters
    ----------
    encoder
        Of the variant.
    texts
        Distinct; at most `INVARIANCE_ROWS` of them are looked at.
    output
        Output of the graph to look at.
    """
    generator = np.random.default_rng(seed)
    chosen = [texts[row] for row in generator.permutation(len(texts))[:INVARIANCE_ROWS]]
    alone = np.concatenate([encoder.encode([text], output) for text in chosen])
    worst = 0.0
    for _ in range(MIXED_BATCHES):
        rows = generator.permutation(len(chosen))[:MIXED_TEXTS]
        mixed = encoder.encode([chosen[row] for row in rows], output)
        worst = max(worst, float(np.abs(mixed - alone[rows]).max()))
    return worst


def invariance(n_rows: int, results: Callable[[Ints], Sequence[Floats]], seed: int = 0) -> float:
    """Greatest difference in any number between a row alone and the same row among others.

    Parameters
    ----------
    n_rows
        Rows there are; at most `INVARIANCE_ROWS` of them are looked at, `MIXED_ROWS` at a time.
    results
        Results for some rows, [rows, ..] each.
    """
    rows = np.random.default_rng(seed).permutation(n_rows)[:INVARIANCE_ROWS]
    alone = [results(rows[place : place + 1]) for place in range(len(rows))]
    worst = 0.0
    for start in range(0, len(rows), MIXED_ROWS):
        together = results(rows[start : start + MIXED_ROWS])
        for place, single in enumerate(alone[start : start + MIXED_ROWS]):
            apart = [np.abs(mixed[place] - own[0]).max() for mixed, own in zip(together, single, strict=True)]
            worst = max(worst, float(max(apart)))
    return worst
