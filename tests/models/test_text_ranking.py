"""Ranking by text vectors alone."""

from __future__ import annotations

import numpy as np
import pytest

from engine_models.corpus import read_part
from engine_models.text_ranking import answer, text_questions
from engine_runtime.artefacts.dataset import Dataset
from planted import KINDS, HashingEncoder

MANY = 10_000


def ring_vectors(texts: list[str]) -> np.ndarray:
    """One direction a ring, and a little of each text's own."""
    own = HashingEncoder.encode(HashingEncoder.__new__(HashingEncoder), texts)
    rings = np.array([np.eye(len(KINDS))[KINDS.index(text.split()[0])] for text in texts])
    return np.concatenate([rings, 0.1 * own], axis=1).astype(np.float32)


def test_vectors_that_know_the_rings_rank_better(dataset: Dataset) -> None:
    """Vectors that put a ring's items together find the next item more often than random ones."""
    questions = text_questions(read_part(dataset), MANY)
    random = np.random.default_rng(0).normal(size=(len(questions.texts), 24)).astype(np.float32)
    knowing = answer(questions, ring_vectors(questions.texts)).mean()
    assert knowing > 1.5 * answer(questions, random).mean()


def test_validation_events_are_asked_for(dataset: Dataset) -> None:
    """Each asked user's target follows what was seen, one event before the last."""
    questions = text_questions(read_part(dataset), MANY)
    lengths = np.diff(questions.seen.offsets)
    assert len(lengths) == len(questions.targets)
    last = questions.seen.items[questions.seen.offsets[1:] - 1]
    ring, size = np.divmod(questions.targets, 9)
    assert ((last // 9 == ring) & ((last % 9 + 1) % 9 == size)).all()


def test_a_part_of_the_catalogue_keeps_its_numbers_straight(dataset: Dataset) -> None:
    """Asked on every other item, texts and items seen still belong together."""
    half = text_questions(read_part(dataset, 28), 20)
    whole = text_questions(read_part(dataset), MANY)
    assert len(half.texts) == len(half.rankable) == 28
    assert set(half.texts) < set(whole.texts)
    assert half.seen.items.max() < 28
    assert 0 < len(half.targets) <= 20


def test_nobody_to_ask(dataset: Dataset) -> None:
    """On a catalogue cut to one item no user has three events, and the answer is empty."""
    questions = text_questions(read_part(dataset, 1), MANY)
    assert len(answer(questions, np.ones((1, 4), np.float32))) == 0


def test_scale_and_shift_do_not_matter(dataset: Dataset) -> None:
    """Whitening takes out the mean and the scale."""
    questions = text_questions(read_part(dataset), MANY)
    vectors = ring_vectors(questions.texts)
    assert answer(questions, vectors).mean() == pytest.approx(answer(questions, 3 * vectors + 1).mean(), abs=0.02)
