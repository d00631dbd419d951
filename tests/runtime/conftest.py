"""A bundle, a data set and an index of the small shop, made once."""

from __future__ import annotations

import pytest

from engine_runtime.serve.engine import Engine
from tiny import World, make_world


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return make_world(tmp_path_factory.mktemp("world"))


@pytest.fixture(scope="session")
def engine(world: World) -> Engine:
    return world.engine()
