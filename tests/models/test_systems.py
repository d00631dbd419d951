"""The systems that an evaluation asks."""

from __future__ import annotations

from types import SimpleNamespace
from typing import cast

import numpy as np

from engine_models.corpus import Corpus
from engine_models.metrics import DEPTH
from engine_models.systems import bundle_system, learned_vectors, run_ablations, run_system, shuffled
from engine_runtime import Engine
from engine_runtime.artefacts.run import Run
from engine_runtime.data.histories import Histories


def test_run_leaves_out_what_was_seen(trained: Run, corpus: Corpus) -> None:
    """Every unseen item is ranked once, no seen one, with or without the successor table."""
    users, test = corpus.split.users[:30], corpus.split.test[:30]
    seen = corpus.seen(users, test)
    alone, fused = (run_system(trained, corpus, fused=fused)(users, test) for fused in (False, True))
    for lists in (alone, fused):
        assert lists.shape == (30, DEPTH)
        for row in range(30):
            met = set(seen.items[seen.offsets[row] : seen.offsets[row + 1]].tolist())
            shown = [item for item in lists[row].tolist() if item >= 0]
            assert sorted(shown) == sorted(set(range(len(corpus.texts))) - met)


def test_run_answers_each_user_alone(trained: Run, corpus: Corpus) -> None:
    """A user's list does not depend on who else is asked for."""
    system = run_system(trained, corpus)
    users, test = corpus.split.users, corpus.split.test
    assert np.array_equal(system(users, test)[7], system(users[7:8], test[7:8])[0])


def test_shuffling_moves_what_precedes_the_test_alone(corpus: Corpus) -> None:
    """Each user's earlier events are the same in another order; the test event and times stay."""
    mixed = shuffled(corpus)
    split, moved = corpus.split, mixed.split.histories
    assert np.array_equal(moved.items[split.test], split.histories.items[split.test])
    assert np.array_equal(moved.times, split.histories.times)
    changed = 0
    for user, test in zip(split.users, split.test, strict=True):
        rows = slice(split.histories.offsets[user], test)
        assert sorted(moved.items[rows]) == sorted(split.histories.items[rows])
        changed += not np.array_equal(moved.items[rows], split.histories.items[rows])
    assert changed > len(split.users) / 2


def test_ablations_rank_unseen_items(trained: Run, corpus: Corpus) -> None:
    """Parts of a run rank what the user has not met; the last item's vector ranks by its products."""
    split = corpus.split
    users, test = split.users[:20], split.test[:20]
    ablations = run_ablations(trained, corpus)
    vectors = learned_vectors(trained)
    lists = ablations["last item's vector alone"](users, test)
    for row, stop in enumerate(test):
        scores = vectors[lists[row][lists[row] >= 0]] @ vectors[split.histories.items[stop - 1]]
        assert np.all(np.diff(scores) <= 1e-4)
    for system in ablations.values():
        seen = corpus.seen(users, test)
        for row, shown in enumerate(system(users, test)):
            assert not set(shown.tolist()) & set(seen.items[seen.offsets[row] : seen.offsets[row + 1]].tolist())


def test_bundle_gets_the_history_before_the_event(corpus: Corpus) -> None:
    """A bundle is asked with the users' events before the one named, as a server would have them."""
    given: list[Histories] = []

    def profile(histories: Histories) -> Histories:
        given.append(histories)
        return histories

    def recommend(profiles: Histories, k: int) -> SimpleNamespace:
        return SimpleNamespace(items=np.full((len(profiles), k), 5, np.int32))

    engine = cast(Engine, SimpleNamespace(profile=profile, recommend=recommend))
    users, test = corpus.split.users[[4, 2]], corpus.split.test[[4, 2]]
    lists = bundle_system(engine, corpus)(users, test)
    assert lists.shape == (2, DEPTH)
    (histories,) = given
    offsets = corpus.split.histories.offsets
    expected = [corpus.split.histories.items[offsets[user] : stop] for user, stop in zip(users, test, strict=True)]
    assert histories.users.tolist() == users.tolist()
    assert histories.items.tolist() == np.concatenate(expected).tolist()
