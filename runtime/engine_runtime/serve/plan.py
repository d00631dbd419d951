"""How many processes and threads serve a data set, within an amount of memory. Pure: knows sizes, starts nothing."""

from __future__ import annotations

import sys
from dataclasses import dataclass

from engine_runtime.artefacts.bundle import BundleInfo
from engine_runtime.data.amounts import amount_of
from engine_runtime.data.reading import BLOCK_EVENTS, BLOCK_USERS
from engine_runtime.errors import UsageError
from engine_runtime.inference.session import available_cpus
from engine_runtime.serve.engine import Engine

MEMORY = "2GB"
"""What is held beside the index, where nothing is said."""

BASE_BYTES = 150_000_000
"""Python and its packages, once for all processes."""

WORKER_BYTES = 60_000_000
"""Of a worker beside its block: a session with its arena, a batch of a file's rows, a part's pages."""

EVENT_BYTES = 250
"""Of an event in a block: what is read, what facets work out of it."""

USER_BYTES = 15_000
"""Of a user in a block, beside vectors: candidates of a ranking, shares of facets."""


@dataclass(frozen=True)
class Plan:
    """How buckets are served: in so many processes, each with so many threads in its sessions and searches."""

    processes: int
    threads: int


def plan(engine: Engine, top_k: int, buckets: int, memory: str) -> Plan:
    """Share workers out over the buckets.

    Parameters
    ----------
    engine
        What serves: it may keep as many CPUs busy as it has threads. On a GPU it serves in one process.
    top_k
        Recommendations a user.
    buckets
        How many are to be served.
    memory
        What the processes may hold together beside the index, such as ``2GB``; where it is too little for all of them
        there are fewer.

    Returns
    -------
    Plan
        A bucket is served by one process; where there are fewer buckets than CPUs, a process has several threads.

    Raises
    ------
    UsageError
        `memory` is no amount, or too little for one process.
    """
    fitting, threads = processes_within(engine.info, top_k, memory), engine.threads or available_cpus()
    if engine.provider != "cpu" or sys.platform != "linux":  # elsewhere libraries do not bear a fork
        return Plan(1, threads)
    processes = max(1, min(threads, buckets, fitting))
    return Plan(processes, threads // processes)


def processes_within(info: BundleInfo, top_k: int, memory: str) -> int:
    """How many processes may be at work within `memory`; see `plan`."""
    worker = worker_bytes(info, top_k)
    fitting = (amount_of(memory) - BASE_BYTES) // worker
    if fitting < 1:
        least = -(-(BASE_BYTES + worker) // 1_000_000)
        raise UsageError(f"--memory {memory} is too little: one worker needs {least} MB. Raise --memory.")
    return fitting


def worker_bytes(info: BundleInfo, top_k: int) -> int:
    """Bytes of one process at work, beside what it shares with the others."""
    shape = info.shape
    user = 4 * (2 * shape.item_dim + 2 * shape.n_concepts) + 64 * top_k + USER_BYTES
    return WORKER_BYTES + BLOCK_USERS * user + BLOCK_EVENTS * EVENT_BYTES
