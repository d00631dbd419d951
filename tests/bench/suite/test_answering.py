"""A server's workers."""

from pathlib import Path

import numpy as np
import pytest

from engine_bench.suite.answering import TOP_K, Answerer, answerers, together
from engine_runtime.data.histories import read_histories
from engine_runtime.serve.engine import Engine, Profiles
from tiny import World, make_world


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return make_world(tmp_path_factory.mktemp("world"))


def test_a_request_is_a_profile_and_recommendations_of_its_user(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Users ask in the given order, and again from the first after the last; together in one call."""
    histories, asked = read_histories(world.dataset), []

    def note(self: Engine, profiles: Profiles, k: int) -> None:
        asked.append((profiles.histories.users.tolist(), k))

    monkeypatch.setattr(Engine, "recommend", note)
    worker = Answerer(world.engine(), histories, np.array([7, 3, 5]))
    worker(np.array([1]))
    worker(np.array([2, 3, 4]))
    assert asked == [([3], TOP_K), ([5, 7, 3], TOP_K)]


def test_workers_say_where_their_time_went_since_they_were_asked(world: World) -> None:
    """The stages of all workers together; loading and what was told before do not count."""
    workers = answerers(world.engine(2), read_histories(world.dataset), 2, seed=0)
    assert together(workers) == {}
    workers[0](np.array([0]))
    alone = together(workers)
    assert list(alone) == ["profile", "recommend"]
    assert all(stage.wall > 0 for stage in alone.values())
    assert together(workers) == {}


def test_users_ask_in_an_order_of_the_seed(world: World, tmp_path: Path) -> None:
    """Every user asks once before one asks again, in an order that the seed gives and all workers share."""
    histories = read_histories(world.dataset)
    one, other = answerers(world.engine(2), histories, 2, seed=4)
    again = answerers(world.engine(2), histories, 1, seed=5)[0]
    np.testing.assert_array_equal(one._asking, other._asking)
    assert sorted(one._asking) == list(range(len(histories)))
    assert not np.array_equal(one._asking, again._asking)
