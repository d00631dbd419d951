"""Scores taken apart, held against what is served."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from engine_runtime.data.histories import histories_from
from engine_runtime.data.stored import read_histories
from engine_runtime.errors import UsageError
from engine_runtime.serve.attribution import scores, without
from engine_runtime.serve.bucket import adapt
from engine_runtime.serve.engine import Engine, Profiles
from tiny import World


@pytest.fixture(scope="module")
def users(world: World, engine: Engine) -> list[Profiles]:
    """Every user of the shop alone."""
    source, histories = adapt(engine, world.dataset), read_histories(world.dataset)
    numbered = replace(histories, items=source.numbers[histories.items])
    return [engine.profile(numbered.slice(user, user + 1)) for user in range(len(numbered))]


def test_shares_sum_to_what_was_served(engine: Engine, users: list[Profiles]) -> None:
    """For every user, one without events included, both splits sum to each served score, and parts to interests."""
    for profiles in users:
        ranking = engine.recommend(profiles, 8)
        found = engine.explain(profiles, k=8)
        there = ranking.items[0] >= 0
        assert found.items.tolist() == ranking.items[0][there].tolist()
        np.testing.assert_allclose(found.interests.sum(axis=0), profiles.concepts[0], atol=1e-6)
        np.testing.assert_allclose(found.scores, ranking.scores[0][there], atol=1e-5)
        whole = found.events.sum(axis=1) + found.norm + found.new_item + found.popular
        np.testing.assert_allclose(whole, ranking.scores[0][there], atol=1e-5)


def test_items_that_the_index_lacks(engine: Engine) -> None:
    """Events of items that only histories know have shares of interests and texts, and all sums hold."""
    longer = engine.with_newcomers(["red lamp", "small tea pot"])
    known = len(engine.shelf.catalogue)
    for items in ([known], [known, known + 1], [4, known, 7]):
        profiles = longer.profile(histories_from([items]))
        ranking, found = longer.recommend(profiles, 4), longer.explain(profiles, k=4)
        np.testing.assert_allclose(found.scores, ranking.scores[0], atol=1e-5)
        whole = found.events.sum(axis=1) + found.norm + found.new_item + found.popular
        np.testing.assert_allclose(whole, ranking.scores[0], atol=1e-5)


def test_effects_are_those_of_serving_without_the_event(engine: Engine, users: list[Profiles]) -> None:
    """The effect of an event is the served score less the one that is served to a history without it."""
    profiles = max(users, key=lambda user: user.histories.n_events)
    histories, k = profiles.histories, 12
    found = engine.explain(profiles, k=k)
    others = engine.recommend(engine.profile(without(histories, np.arange(histories.n_events))), k)
    ranking = engine.recommend(profiles, k)
    compared = 0
    for event in range(histories.n_events):
        if event not in found.read:
            continue
        for item, score in zip(others.items[event], others.scores[event], strict=True):
            if item in found.items:
                column = found.items.tolist().index(item)
                assert found.effects[column, event] == pytest.approx(ranking.scores[0, column] - score, abs=1e-5)
                compared += 1
    assert compared


def test_any_item_has_a_score(engine: Engine, users: list[Profiles]) -> None:
    """Scores of single items are those of the ranking, whoever is asked about with them."""
    for profiles in users:
        ranking = engine.recommend(profiles, 4)
        np.testing.assert_allclose(scores(engine, profiles, ranking.items[0])[0], ranking.scores[0], atol=1e-5)


def test_one_user_and_known_items(engine: Engine) -> None:
    """Several users at a time, and items that are not in the catalogue, are refused."""
    with pytest.raises(UsageError, match="one user is explained at a time, not 2"):
        engine.explain(engine.profile(histories_from([[1], [2]])))
    with pytest.raises(UsageError, match="items to explain"):
        engine.explain(engine.profile(histories_from([[1]])), np.array([-1], np.int32))
