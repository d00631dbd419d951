"""Processes and threads within an amount of memory."""

from __future__ import annotations

import sys

import pytest

import tiny
from engine_runtime.errors import UsageError
from engine_runtime.serve.plan import BASE_BYTES, Plan, plan, processes_within, worker_bytes
from tiny import World

forks = pytest.mark.skipif(sys.platform != "linux", reason="workers are forked on Linux alone")


@forks
@pytest.mark.parametrize(
    ("threads", "buckets", "planned"),
    [
        (1, 8, Plan(1, 1)),
        (2, 8, Plan(2, 1)),
        (4, 3, Plan(3, 1)),
        (8, 3, Plan(3, 2)),
        (2, 1, Plan(1, 2)),
        (2, 0, Plan(1, 2)),
    ],
)
def test_workers_are_shared_out_over_buckets(world: World, threads: int, buckets: int, planned: Plan) -> None:
    """A bucket is served by one process; where buckets are few, a process has several threads."""
    assert plan(world.engine(threads), 10, buckets, "100GB") == planned


@forks
def test_little_memory_means_fewer_processes(world: World) -> None:
    """As many processes as fit are at work, each with its share of the threads."""
    enough = BASE_BYTES + 2 * worker_bytes(tiny.BUNDLE, 10)
    assert plan(world.engine(4), 10, 8, f"{enough}B") == Plan(2, 2)


def test_too_little_memory_is_refused() -> None:
    """Where not even one worker fits, it is said how much it needs."""
    least = BASE_BYTES + worker_bytes(tiny.BUNDLE, 10)
    assert processes_within(tiny.BUNDLE, 10, f"{least}B") == 1
    with pytest.raises(UsageError, match=f"one worker needs {-(-least // 1_000_000)} MB"):
        processes_within(tiny.BUNDLE, 10, f"{least - 1}B")
