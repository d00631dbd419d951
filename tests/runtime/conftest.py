"""A bundle, a data set and an index of the small shop, made once."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from engine_runtime.serve.engine import Engine
from tiny import World, make_world


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return make_world(tmp_path_factory.mktemp("world"))


@pytest.fixture(scope="session", autouse=True)
def nothing_measured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What was measured on the machine that runs the tests is none of theirs."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PROFILE_ENGINE_HOME", str(tmp_path_factory.mktemp("home")))
        yield


@pytest.fixture(scope="session")
def engine(world: World) -> Engine:
    return world.engine()
