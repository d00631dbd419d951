"""Serve a small shop to users who come when they like, stall once, and compare what is measured: ``make stall``.

The engine, its worker and the clock are real. The p99 of an open loop is held against what follows from the schedule,
the stall and the mean time of a request; beside it stands what a closed loop reports of the same server.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

import click
import numpy as np

from engine_bench.suite.answering import Server
from engine_bench.suite.histogram import Histogram
from engine_bench.suite.open_loop import closed_loop, open_loop
from engine_bench.suite.schedule import poisson
from engine_runtime.data.stored import read_histories
from stalls import stalling, waits
from tiny import make_world

CLOSE = 0.05


def main() -> None:
    """Measure, print, and fail where the open loop is off by more than `CLOSE`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--rate", type=float, default=100.0)
    parser.add_argument("--stall", type=float, default=1.0)
    given = parser.parse_args()
    due = poisson(given.rate, round(given.rate * given.seconds), seed=1)
    stalled = len(due) // 3
    with tempfile.TemporaryDirectory() as folder:
        world = make_world(Path(folder))
        worker = Server.start(world.engine(), read_histories(world.dataset), 1).workers[0]
        server = stalling(worker, stalled, given.stall, time.sleep)
        opened = open_loop([server], due, 1)
        closed = closed_loop([server], len(due))
    service = (opened.service.total - given.stall) / len(due)
    expected = Histogram.of(waits(due, service, stalled, given.stall))
    told = {"from the schedule": expected, "open loop": opened.latency, "closed loop": closed.latency}
    click.echo(f"{len(due)} requests, {given.rate:g} a second, one stall of {given.stall:g} s")
    for name, latency in told.items():
        p50, p99 = (1000 * latency.quantile(share).value for share in (0.5, 0.99))
        click.echo(f"{name:20} p50 {p50:8.2f} ms   p99 {p99:8.2f} ms   longest {1000 * latency.most:8.2f} ms")
    ratio = opened.latency.quantile(0.99).value / expected.quantile(0.99).value
    click.echo(
        f"p99 of the open loop / of the schedule: {ratio:.3f}; {opened.late_share:.1%} of the requests came late"
    )
    sys.exit(int(not np.isclose(ratio, 1.0, atol=CLOSE)))


if __name__ == "__main__":
    main()
