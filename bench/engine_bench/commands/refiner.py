"""`engine bench refiner`: the refiner beside others."""

from __future__ import annotations

from pathlib import Path

import click

from engine_bench.commands.options import out_option, rounds_option
from engine_bench.commands.showing import keep, show
from engine_runtime.commands import console
from engine_runtime.commands.options import EXISTING_DIRECTORY, json_option


@click.command("refiner")
@click.option("--bundle", type=EXISTING_DIRECTORY, required=True, help="The exported bundle.")
@click.option(
    "--run", "trained", type=EXISTING_DIRECTORY, required=True, help="The run that the bundle was exported from."
)
@click.option("--dataset", type=EXISTING_DIRECTORY, required=True, help="The data set that the run was trained on.")
@click.option("--users", type=click.IntRange(min=1), default=None, help="Refine so many users; all if not given.")
@click.option(
    "--replay",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    default=None,
    help="Python of an environment with replay-rec and OpenVINO; without it RePlay is left out.",
)
@rounds_option
@out_option
@json_option
def refiner_beside_others(
    bundle: Path,
    trained: Path,
    dataset: Path,
    users: int | None,
    replay: Path | None,
    rounds: int,
    out: Path | None,
    as_json: bool,
) -> None:
    """Refine the same histories by this engine, by its network in PyTorch and by RePlay's compiled SASRec, in turn.

    The refiner turns a user's events into the query and the profile; encoding texts is not part of it. A contender that
    cannot run is left out, and the reason is shown.

    One thread each. RePlay pins older packages than this engine runs with, so it has an environment of its own:
    python3.11 -m venv replay && replay/bin/pip install 'replay-rec[torch]' openvino onnx. Its weights are random, for
    only its speed is compared; it scores the whole catalogue, so ours is measured with exact search of it as well.

    \b
    Example:
      engine bench refiner --bundle bundle --run run --dataset dataset --replay replay/bin/python
    """
    from engine_bench.refiners.entry import contest
    from engine_bench.refiners.report import notes, parity, settings, sheet

    found = contest(bundle, trained, dataset, users, replay, rounds, console.note)
    if keep(found, out, as_json):
        return
    show(found.machine.facts() | {"bundle": found.bundle}, [sheet(found)])
    console.facts("how each ran", settings(found))
    console.facts("parity of the bundle's refiner", parity(found))
    for line in notes(found):
        click.echo(line)
