"""Training towards a teacher's vectors."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from engine_models.distillation import DistillSettings, Lesson, encode, train_student, validate
from engine_runtime.inference.tokenizer import Tokens

WORDS, DIM, TEXTS = 30, 8, 120
SETTINGS = DistillSettings(steps=60, batch_tokens=64, learning_rate=0.2)


class Bag(nn.Module):
    """An encoder whose states are the embeddings of its tokens."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        self.table = nn.Embedding(WORDS, DIM)
        with torch.no_grad():
            self.table.weight.copy_(torch.randn(WORDS, DIM, generator=torch.Generator().manual_seed(seed)))

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> SimpleNamespace:
        """Look the tokens up."""
        return SimpleNamespace(last_hidden_state=self.table(input_ids))


@pytest.fixture(scope="module")
def lesson() -> Lesson:
    generator = np.random.default_rng(0)
    lengths = generator.integers(2, 7, TEXTS)
    ids = generator.integers(1, WORDS, lengths.sum())
    made = Lesson(
        Tokens(ids, np.concatenate(([0], np.cumsum(lengths)))), np.zeros((TEXTS, DIM), np.float32), "mean", 0, 6
    )
    with torch.no_grad():
        return replace(made, vectors=encode(Bag(1), *made.batch(np.arange(TEXTS)), "mean").numpy())


def test_student_comes_near_its_teacher(lesson: Lesson) -> None:
    """What is returned is the cosine on texts held out, which has grown."""
    student = Bag(2)
    before = validate(student, lesson, np.arange(6))
    cosine = train_student(student, lesson, SETTINGS)
    assert cosine > 0.9 > before
    assert validate(student, lesson, np.arange(6)) == pytest.approx(cosine, abs=1e-6)


def test_same_seed_same_student(lesson: Lesson) -> None:
    """Training again gives the same weights; another seed gives others."""
    students = [Bag(2) for _ in range(3)]
    for student, seed in zip(students, (0, 0, 1), strict=True):
        train_student(student, lesson, replace(SETTINGS, steps=5, seed=seed))
    tables = [student.table.weight.detach() for student in students]
    assert torch.equal(tables[0], tables[1])
    assert not torch.equal(tables[0], tables[2])


def test_texts_held_out_are_not_trained_on(lesson: Lesson) -> None:
    """Other vectors for the texts held out change what is reported, not what is learned."""
    students = [Bag(2), Bag(2)]
    other = lesson.vectors.copy()
    other[:6] = other[:6][::-1]
    settings = replace(SETTINGS, steps=1)
    cosines = [
        train_student(student, taught, settings)
        for student, taught in zip(students, (lesson, replace(lesson, vectors=other)), strict=True)
    ]
    # Whitening sees a permutation of the same vectors, so only the order of its sums differs.
    torch.testing.assert_close(students[0].state_dict(), students[1].state_dict(), rtol=1e-3, atol=1e-4)
    assert cosines[0] != pytest.approx(cosines[1], abs=1e-4)


def test_best_state_is_kept(lesson: Lesson) -> None:
    """A training that spoils the student leaves its best state, be it the one that it began with."""
    student = Bag(1)
    cosine = train_student(student, lesson, replace(SETTINGS, steps=20, learning_rate=5.0))
    assert validate(student, lesson, np.arange(6)) == pytest.approx(cosine, abs=1e-6)
    assert cosine == pytest.approx(1)


def test_every_step_is_told(lesson: Lesson) -> None:
    """Steps add up to those asked for, and the last remark holds the cosine."""
    told: list[tuple[int, str]] = []
    train_student(Bag(2), lesson, replace(SETTINGS, steps=7), lambda done, remark="": told.append((done, remark)))
    assert sum(done for done, _ in told) == 7
    assert "cosine" in told[-1][1]


def test_padding_changes_no_vector(lesson: Lesson) -> None:
    """A text alone has the vector that it has beside longer ones, with either pooling."""
    for pooling in ("mean", "cls"):
        together = encode(Bag(1), *lesson.batch(np.arange(20)), pooling)
        alone = torch.cat([encode(Bag(1), *lesson.batch(np.array([row])), pooling) for row in range(20)])
        torch.testing.assert_close(together, alone)


def test_few_texts_are_judged_on_themselves(lesson: Lesson) -> None:
    """With none held out, the texts trained on are judged by."""
    few = replace(lesson, n_held_out=0)
    student = Bag(2)
    cosine = train_student(student, few, replace(SETTINGS, steps=5))
    assert cosine == pytest.approx(validate(student, few, np.arange(TEXTS)), abs=1e-6)
