"""The loop: it learns, repeats bit for bit, and knows when to stop."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import cast

import numpy as np
import pytest
import torch
from torch import Tensor

from engine_models import trainer as loop
from engine_models.baselines import rank_popular
from engine_models.checkpoint import Progress
from engine_models.corpus import Corpus, events_of
from engine_models.metrics import DEPTH, per_user, places
from engine_models.model import ProfileModel
from engine_models.queries import last_queries
from engine_models.settings import TrainSettings, derive, shape_of
from engine_models.trainer import Material, Trainer
from engine_models.windows import cut_windows
from engine_runtime.artefacts.dataset import Scale
from engine_runtime.artefacts.run import Fusion
from engine_runtime.data.histories import histories_from
from engine_runtime.search.fusion import rank
from engine_runtime.search.index import ExactIndex
from engine_runtime.search.successors import SuccessorTable
from planted import Rings, corpus_of

UNIT = Scale(0.0, 1.0, False)
N_ITEMS = 58
UNRANKABLE = 57
Make = Callable[..., Trainer]


@pytest.fixture(scope="module")
def world() -> Corpus:
    return corpus_of(histories_from(Rings(users=60).walks()), N_ITEMS, unrankable=[UNRANKABLE])


@pytest.fixture
def make(world: Corpus, recipe: TrainSettings) -> Make:
    def made(**changes: float | None) -> Trainer:
        settings = derive(replace(recipe, **changes), len(world.trained), int(world.popularity.sum()), world.n_learned)  # type: ignore[arg-type]
        torch.manual_seed(settings.seed)
        model = ProfileModel(shape_of(settings, 12, 1), N_ITEMS, settings.dropout or 0.0)
        with torch.no_grad():
            model.head.residual[world.trained] = 0.02 * torch.randn(len(world.trained), model.refiner.shape.dim)
        return Trainer(model, material(world, settings), settings)

    return made


@pytest.fixture
def two_threads() -> Iterator[None]:
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(1)


def material(world: Corpus, settings: TrainSettings) -> Material:
    """What a training reads of a world; texts say nothing."""
    split = world.split
    starts, lengths = cut_windows(split.histories.offsets[:-1], split.train_stops, settings.max_events or 1)
    return Material(
        white=torch.randn(N_ITEMS, min(settings.white_dim, 12), generator=torch.Generator().manual_seed(1)) * 0.3,
        events=events_of(split, UNIT, UNIT, torch.device("cpu")),
        offsets=split.histories.offsets,
        learned=events_of(split, UNIT, UNIT, torch.device("cpu")),
        starts=starts,
        lengths=lengths,
        trained=torch.from_numpy(world.trained),
        hidden=torch.tensor([UNRANKABLE]),
        valid_users=split.users,
        valid=split.valid,
    )


def ignore(*_: object) -> None:
    """Stands for a report and for a checkpoint."""


def same(one: dict[str, Tensor], other: dict[str, Tensor]) -> bool:
    """Equal bit for bit."""
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def test_training_learns(make: Make, world: Corpus) -> None:
    """Trained on rings, the model ranks the next item far better than popularity does, and the loss falls."""
    trainer = make(epochs=12)
    losses: list[float] = []
    trainer.run(lambda progress, loss, ndcg: losses.append(loss), ignore)
    users, valid = world.split.users, world.split.valid
    lists = rank_popular(world.popularity, world.rankable, world.seen(users, valid))
    popular = per_user(places(lists, world.split.histories.items[valid]))["ndcg@10"].mean()
    assert trainer.progress.best > popular + 0.2
    assert losses[-1] < losses[0] - 0.5


@pytest.mark.parametrize("negatives", [0, 20])
def test_training_repeats_bit_for_bit(make: Make, negatives: int) -> None:
    """The same seed gives the same weights; another one gives others."""
    one, other, stranger = (
        make(epochs=3, negatives=negatives),
        make(epochs=3, negatives=negatives),
        make(epochs=3, seed=1),
    )
    for trainer in (one, other, stranger):
        trainer.run(ignore, ignore)
    assert same(one.model.state_dict(), other.model.state_dict())
    assert not same(one.model.state_dict(), stranger.model.state_dict())


def test_training_repeats_with_several_threads(make: Make, two_threads: None) -> None:
    """Batches large enough to be shared among threads give the same weights however the threads are timed."""

    def weights() -> dict[str, Tensor]:
        trainer = make(dim=64, batch_events=4096, epochs=1)
        windows = np.random.default_rng(0).integers(0, len(trainer.material.starts), 500)
        starts, lengths = trainer.material.starts[windows], trainer.material.lengths[windows]
        trainer.material = replace(trainer.material, starts=starts, lengths=lengths)
        trainer.run(ignore, ignore)
        return trainer.average.module.state_dict()

    first = weights()
    assert all(same(first, weights()) for _ in range(3))


def test_random_numbers_before_do_not_matter(make: Make) -> None:
    """An epoch draws from the seed and its number alone."""
    one, other = make(), make()
    one._epoch(4)
    torch.rand(99)
    other._epoch(4)
    assert same(one.model.state_dict(), other.model.state_dict())


def test_unseen_items_keep_no_residual(make: Make, world: Corpus) -> None:
    """The residual of an item without training events is zero to the end, for training never touches it."""
    trainer = make(epochs=2, negatives=20)
    trainer.run(ignore, ignore)
    unseen = np.setdiff1d(np.arange(N_ITEMS), world.split.histories.items)
    assert len(unseen) >= 2
    assert not bool(trainer.model.head.residual[unseen].any())


def test_what_is_kept_is_the_best_average(make: Make) -> None:
    """At the end the model has the moving average as it was at the best validation."""
    trainer = make(epochs=8, learning_rate=0.3)
    kept: dict[int, dict[str, Tensor]] = {}

    def report(progress: Progress, loss: float, ndcg: float) -> None:
        kept[progress.epoch] = {name: value.clone() for name, value in trainer.average.module.state_dict().items()}

    trainer.run(report, ignore)
    assert list(kept) == [2, 4, 6, 8]
    assert same(trainer.model.state_dict(), kept[trainer.progress.best_epoch])
    assert not trainer.model.training


def test_training_stops_when_nothing_gets_better(make: Make) -> None:
    """After `patience` validations without a better one, training stops."""
    trainer = make(learning_rate=0.0, patience=3)
    trainer.run(ignore, ignore)
    assert trainer.progress.best_epoch == loop.VALIDATE_EVERY
    assert trainer.progress.epoch == 4 * loop.VALIDATE_EVERY
    assert trainer.progress.stale == 3


def test_training_stops_when_the_time_is_up(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """No epoch starts after the limit, and what was trained until then is validated, kept and saved."""
    clock = iter(range(0, 10**6, 60))
    monkeypatch.setattr(time, "monotonic", lambda: float(next(clock)))
    trainer = make(minutes=0.5)
    saved: list[int] = []
    trainer.run(ignore, lambda: saved.append(trainer.progress.epoch))
    assert saved == [1]
    assert trainer.progress.best_epoch == 1
    assert same(trainer.model.state_dict(), trainer.best)


def test_last_epoch_is_validated(make: Make) -> None:
    """An odd number of epochs ends with a validation too."""
    trainer = make(epochs=3)
    validated: list[int] = []
    trainer.run(lambda progress, loss, ndcg: validated.append(progress.epoch), ignore)
    assert validated == [2, 3]


@pytest.mark.parametrize("alike", [False, True])
def test_validation_ranks_as_the_runtime_does(make: Make, world: Corpus, alike: bool) -> None:
    """A target's place is that in the runtime's own exact ranking, with seen and hidden items out, ties included."""
    trainer = make()
    trainer._epoch(0)
    model = cast(ProfileModel, trainer.average.module)
    with torch.inference_mode():
        if alike:
            for weight in model.head.parameters():  # every item has the same vector
                weight.zero_()
        vectors = model.item_vectors(trainer.material.white)
        users, valid = world.split.users, world.split.valid
        model.eval()
        query = last_queries(
            model.refiner, vectors, trainer.material.events, world.split.histories.offsets[users], valid
        )
    empty = SuccessorTable(np.zeros(N_ITEMS + 2, np.int64), np.zeros(0, np.int32), np.zeros(0, np.float32))
    index = ExactIndex(vectors.numpy(), world.rankable)
    lists = rank(query.numpy(), world.seen(users, valid), index, empty, Fusion(0.0, 0.5, 20, 200), DEPTH).items
    assert trainer._valid_places().tolist() == places(lists, world.split.histories.items[valid]).tolist()


def test_a_seen_target_is_not_found(recipe: TrainSettings) -> None:
    """A target that its user has met before cannot be recommended, so it counts as missed."""
    world = corpus_of(histories_from([[0, 1, 2, 1, 3]]), N_ITEMS, unrankable=[UNRANKABLE])
    settings = derive(recipe, 3, 3, 3)
    trainer = Trainer(ProfileModel(shape_of(settings, 12, 1), N_ITEMS), material(world, settings), settings)
    assert trainer._valid_places().tolist() == [DEPTH]


def test_nobody_to_validate_on(recipe: TrainSettings) -> None:
    """Users with two events only are trained on, and the model is kept without a validation."""
    world = corpus_of(histories_from([[0, 1], [1, 2], [2]]), N_ITEMS, unrankable=[UNRANKABLE])
    settings = derive(replace(recipe, epochs=2), 3, 5, 3)
    trainer = Trainer(ProfileModel(shape_of(settings, 12, 1), N_ITEMS), material(world, settings), settings)
    trainer.run(ignore, ignore)
    assert trainer.progress.best == 0.0
    assert trainer.progress.best_epoch == 2


def test_windows_without_anything_to_learn_are_passed_over(recipe: TrainSettings) -> None:
    """A batch in which nothing is to be predicted changes nothing."""
    histories = histories_from([[0, 1, 2]], types=[[0, 1, 1]])
    world = corpus_of(histories, N_ITEMS, weights=(1.0, 0.0), unrankable=[UNRANKABLE])
    settings = derive(recipe, 1, 1, 1)
    trainer = Trainer(ProfileModel(shape_of(settings, 12, 2), N_ITEMS), material(world, settings), settings)
    before = {name: value.clone() for name, value in trainer.model.state_dict().items()}
    assert trainer._epoch(0) == 0.0
    assert same(trainer.model.state_dict(), before)
