"""`engine bench`: the groups of its commands, each of which has a file of its own here."""

from __future__ import annotations

import click

from engine_bench.commands.compare import compare
from engine_bench.commands.encoder import encoder_alone
from engine_bench.commands.facts import facts
from engine_bench.commands.index import index_beside_others
from engine_bench.commands.peers_encoder import peers_encoder
from engine_bench.commands.peers_serve import peers_serve
from engine_bench.commands.refiner import refiner_beside_others
from engine_bench.commands.report import report
from engine_bench.commands.run import run_suite
from engine_bench.commands.scale import scale
from engine_bench.commands.targets import targets
from engine_bench.commands.trend import trend


@click.group()
def bench() -> None:
    """Measure this engine: beside its peers, and against what the machine could do.

    \b
    Example:
      engine bench peers encoder --encoder encoder --dataset dataset --out peers.json
      engine bench encoder --encoder encoder --dataset dataset
      engine bench index --vectors 200000
      engine bench scale --workdir scale --out scale.json
    """


@bench.group()
def peers() -> None:
    """Measure this engine beside others that do the same.

    \b
    Example:
      engine bench peers encoder --encoder encoder --dataset dataset
      engine bench peers serve --bundle bundle --dataset dataset
    """


bench.add_command(compare)
bench.add_command(encoder_alone)
bench.add_command(facts)
bench.add_command(index_beside_others)
bench.add_command(refiner_beside_others)
bench.add_command(report)
bench.add_command(run_suite)
bench.add_command(scale)
bench.add_command(targets)
bench.add_command(trend)
peers.add_command(peers_encoder)
peers.add_command(peers_serve)
