"""Users drawn at random."""

from __future__ import annotations

from engine_runtime.data.stored import read_users
from engine_runtime.serve.sample import sample_users
from tiny import World


def test_a_draw_depends_on_its_seed(world: World) -> None:
    """Equal seeds draw equal users, others others; nobody is drawn twice, and the order is the data set's."""
    everybody = read_users(world.dataset)["user_id"].to_pylist()
    drawn = sample_users(world.dataset, 6, seed=1)
    assert drawn == sample_users(world.dataset, 6, seed=1)
    assert drawn != sample_users(world.dataset, 6, seed=2)
    assert len(set(drawn)) == 6
    assert drawn == [user for user in everybody if user in drawn]


def test_all_where_there_are_fewer(world: World) -> None:
    """A sample larger than the data set is the data set."""
    assert sample_users(world.dataset, 1000) == read_users(world.dataset)["user_id"].to_pylist()
