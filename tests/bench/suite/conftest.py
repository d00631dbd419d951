"""A bundle, an index and a data set of the small shop."""

from __future__ import annotations

import pytest

from tiny import World, make_world


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return make_world(tmp_path_factory.mktemp("suite"))
