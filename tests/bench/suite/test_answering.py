"""A server and its workers."""

import numpy as np
import pytest

from engine_bench.suite.answering import TOP_K, Answerer, Server
from engine_runtime.data.stored import read_histories
from engine_runtime.serve.engine import Engine, Profiles
from tiny import World, make_world


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return make_world(tmp_path_factory.mktemp("world"))


def test_a_request_is_a_profile_and_recommendations_of_its_user(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Users ask in their order, and again from the first after the last; together in one call."""
    histories, asked = read_histories(world.dataset), []

    def note(self: Engine, profiles: Profiles, k: int) -> None:
        asked.append((profiles.histories.users.tolist(), k))

    monkeypatch.setattr(Engine, "recommend", note)
    worker = Answerer(world.engine(), histories.take([7, 3, 5]))
    worker(np.array([1]))
    worker(np.array([2, 3, 4]))
    assert asked == [([3], TOP_K), ([5, 7, 3], TOP_K)]


def test_a_server_says_where_the_time_of_a_run_went(world: World) -> None:
    """The stages of all workers together, of this run alone: loading and earlier runs do not count."""
    server = Server.start(world.engine(2), read_histories(world.dataset), 2)
    served = server.serve(np.zeros(40))
    assert list(served.stages) == ["profile", "recommend"]
    assert 0 < served.stages["recommend"].cpu <= served.cpu
    assert served.answers.calls >= 2
    assert server.serve(np.zeros(0)).stages == {}
    assert str(server).startswith("2 workers")
