"""Tuning on planted successions: soap is followed by lamps, novels by guitars, and no word tells it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from engine_models.distillation import Lesson, encode
from engine_models.tuning import NEVER, Successions, TuneSettings, count_successions, tune_encoder
from engine_runtime.errors import InputError
from engine_runtime.inference.tokenizer import Tokens

KINDS, OF_A_KIND, DIM = 6, 10, 16
ITEMS = KINDS * OF_A_KIND
SETTINGS = TuneSettings(steps=60, batch_tokens=64, learning_rate=0.02, near=0.1)


class Mixed(nn.Module):
    """An encoder whose states are the embeddings of its tokens, turned."""

    def __init__(self) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(0)
        self.table, self.turn = nn.Embedding(1 + KINDS + ITEMS, DIM), nn.Linear(DIM, DIM)
        with torch.no_grad():
            self.table.weight.copy_(torch.randn(self.table.weight.shape, generator=generator))
            self.turn.weight.copy_(torch.eye(DIM))
            self.turn.bias.zero_()

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> SimpleNamespace:
        """Look the tokens up and turn them."""
        return SimpleNamespace(last_hidden_state=self.turn(self.table(input_ids)))


@dataclass(frozen=True)
class World:
    """What an encoder is tuned on."""

    lesson: Lesson
    followed: Successions


@pytest.fixture(scope="module")
def world() -> World:
    """Every item has the word of its kind, twice, and one of its own; users go to and fro between two kinds."""
    kinds = np.arange(ITEMS) // OF_A_KIND
    ids = np.stack([1 + kinds, 1 + kinds, 1 + KINDS + np.arange(ITEMS)], axis=1).ravel()
    lesson = Lesson(Tokens(ids, 3 * np.arange(ITEMS + 1)), np.zeros((ITEMS, DIM), np.float32), "mean", 0, 0)
    generator = np.random.default_rng(0)
    pair, number = generator.integers(0, KINDS // 2, (80, 1)), generator.integers(0, OF_A_KIND, (80, 6))
    items = ((2 * pair + np.arange(6) % 2) * OF_A_KIND + number).astype(np.int32)
    followed = count_successions(items.ravel(), 6 * np.arange(81), np.ones(ITEMS, np.bool_))
    return World(replace(lesson, vectors=vectors_of(Mixed(), lesson)), followed)


@torch.no_grad()
def vectors_of(encoder: nn.Module, lesson: Lesson) -> np.ndarray:
    return encode(encoder, *lesson.batch(np.arange(ITEMS)), "mean").numpy()


def judge(vectors: np.ndarray) -> float:
    """How much nearer an item is to those of the kind that follows than to those of other kinds."""
    near, kinds = vectors @ vectors.T, np.arange(ITEMS) // OF_A_KIND
    follows = (kinds[:, None] ^ 1) == kinds
    return float(near[follows].mean() - near[~follows & (kinds[:, None] != kinds)].mean())


def test_successions_count_either_way() -> None:
    """Pairs weigh one over their distance, no item follows itself, and each row of shares sums to one."""
    found = count_successions(np.array([0, 1, 2, 2, 3], np.int32), np.array([0, 3, 5]), np.ones(5, np.bool_))
    shares = found.shares.toarray()
    np.testing.assert_allclose(shares[0], [0, 2 / 3, 1 / 3, 0, 0], rtol=1e-6)
    np.testing.assert_allclose(shares[2], [1 / 5, 2 / 5, 0, 2 / 5, 0], rtol=1e-6)
    assert found.rows.tolist() == [0, 1, 2, 3]
    assert found.popularity.tolist() == [1, 1, 2, 1, 0]


def test_items_without_a_text_are_left_out() -> None:
    """An item with a blank text is neither learned from nor towards."""
    found = count_successions(np.array([0, 1, 2], np.int32), np.array([0, 3]), np.array([True, False, True]))
    assert found.rows.tolist() == [0, 2]
    np.testing.assert_allclose(found.shares.toarray()[0], [0, 0, 1])


def test_nothing_follows_anything() -> None:
    """Histories of one item each are an error of the input that names the way out."""
    with pytest.raises(InputError, match=r"no two items with texts.*without --tune-encoder"):
        count_successions(np.array([0, 1, 1], np.int32), np.array([0, 1, 3]), np.ones(2, np.bool_))


def test_items_that_nobody_met_are_in_no_softmax() -> None:
    """Their logit is out of reach, that of others grows with popularity."""
    found = count_successions(np.array([0, 1, 1, 0, 1], np.int32), np.array([0, 2, 5]), np.ones(3, np.bool_))
    np.testing.assert_allclose(found.offsets, [np.log(2), np.log(3), NEVER], rtol=1e-6)


def test_what_follows_comes_near(world: World) -> None:
    """Texts of kinds that follow each other come together, and what is returned is said of the state that is kept."""
    encoder = Mixed()
    score = tune_encoder(encoder, world.lesson, world.followed, judge, SETTINGS)
    assert score > judge(world.lesson.vectors) + 0.2
    assert judge(vectors_of(encoder, world.lesson)) == pytest.approx(score, abs=1e-2)


def test_same_seed_same_encoder(world: World) -> None:
    """Tuning again gives the same weights; another seed gives others."""
    encoders = [Mixed() for _ in range(3)]
    for encoder, seed in zip(encoders, (0, 0, 1), strict=True):
        tune_encoder(encoder, world.lesson, world.followed, judge, replace(SETTINGS, steps=5, seed=seed))
    turns = [encoder.turn.weight.detach() for encoder in encoders]
    assert torch.equal(turns[0], turns[1])
    assert not torch.equal(turns[0], turns[2])


def test_best_state_is_kept(world: World) -> None:
    """A judge who likes nothing but the encoder as it was gets it back."""
    encoder, before = Mixed(), Mixed().state_dict()
    scores = iter([1.0, *[0.5] * 9])
    assert tune_encoder(encoder, world.lesson, world.followed, lambda vectors: next(scores), SETTINGS) == 1
    torch.testing.assert_close(encoder.state_dict(), before, rtol=0, atol=0)


def test_without_a_judgement_the_last_state_is_kept(world: World) -> None:
    """Where nobody can be asked all states are alike, and the encoder is tuned nevertheless."""
    encoder = Mixed()
    tune_encoder(encoder, world.lesson, world.followed, lambda vectors: 0.0, SETTINGS)
    assert judge(vectors_of(encoder, world.lesson)) > judge(world.lesson.vectors) + 0.2


def test_embeddings_keep_their_place(world: World) -> None:
    """Words are not moved; afterwards every weight may be trained again."""
    encoder = Mixed()
    tune_encoder(encoder, world.lesson, world.followed, judge, replace(SETTINGS, steps=3))
    assert torch.equal(encoder.table.weight, Mixed().table.weight)
    assert all(weight.requires_grad for weight in encoder.parameters())


def test_weight_on_nearness_holds_vectors(world: World) -> None:
    """The more it counts, the nearer vectors stay to those of before."""
    cosines = []
    for near in (0.0, 100.0):
        encoder = Mixed()
        settings = replace(SETTINGS, near=near)
        tune_encoder(encoder, world.lesson, world.followed, lambda vectors: 0.0, settings)
        cosines.append(float((vectors_of(encoder, world.lesson) * world.lesson.vectors).sum(1).mean()))
    assert cosines[1] > cosines[0] + 0.02


def test_every_step_is_told(world: World) -> None:
    """Steps add up to those asked for, and the last remark holds the judgement."""
    told: list[tuple[int, str]] = []
    settings = replace(SETTINGS, steps=7)
    watch = lambda done, remark="": told.append((done, remark))  # noqa: E731  # as short as what it tests
    tune_encoder(Mixed(), world.lesson, world.followed, judge, settings, advance=watch)
    assert sum(done for done, _ in told) == 7
    assert "NDCG@10" in told[-1][1]
