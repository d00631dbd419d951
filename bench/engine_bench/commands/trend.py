"""`engine bench trend`: where the figures of a history moved."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from engine_bench.commands.options import out_option
from engine_bench.commands.showing import keep
from engine_runtime.commands import console
from engine_runtime.commands.options import EXISTING_DIRECTORY, json_option

if TYPE_CHECKING:
    from engine_bench.suite.trend import Series


@click.command("trend")
@click.option("--history", type=EXISTING_DIRECTORY, required=True, help="Folder that runs added their records to.")
@click.option("--target", default=None, help="Only this target.")
@click.option("--figure", default=None, help="Only figures whose name has this in it; each is drawn.")
@click.option(
    "--least",
    type=click.FloatRange(min=0),
    default=0.03,
    show_default=True,
    help="Size from which a step is told, as a part of 1.",
)
@out_option
@json_option
def trend(history: Path, target: str | None, figure: str | None, least: float, out: Path | None, as_json: bool) -> None:
    """Find the steps in a history of runs: where a figure moved to another level and stayed there.

    A level lasts three runs at least, so a step is told from the third run after it on. Runs of two machines are two
    series. Figures with steps are drawn, and those that were asked for.

    \b
    Example:
      engine bench trend --history bench/history
      engine bench trend --history bench/history --target cpu-vnni --figure "offline users_per_second"
    """
    from engine_bench.suite.history import groups, read_history
    from engine_bench.suite.trend import other_machines, trends
    from engine_runtime.errors import InputError

    found = groups(read_history(history, target))
    series = trends(found, figure, least)
    if not series:
        raise InputError(f"no record in {history} has a figure with '{figure}' in its name.")
    if keep(series, out, as_json):
        return
    for line in other_machines(found):
        click.echo(f"another machine, and a series of its own: {line}")
    for each in series:
        if each.steps or figure is not None:
            _draw(each)
    _show_steps(series)


def _draw(series: Series) -> None:
    from engine_bench.suite.drawing import draw
    from engine_bench.suite.steps import levels

    values = [run.value for run in series.runs]
    click.secho(f"{series.figure} ({series.target}, machine {series.card})", bold=True)
    click.echo("\n".join(draw(values, levels(values, series.steps))) + "\n")


def _show_steps(series: tuple[Series, ...]) -> None:
    rows = [
        (
            each.figure,
            each.target,
            each.runs[step.place].commit,
            each.runs[step.place].started,
            f"{step.change.ratio - 1:+.1%}",
            f"{step.change.low - 1:+.1%} to {step.change.high - 1:+.1%}",
            ", ".join(changed) or "none",
        )
        for each in series
        for step, changed in zip(each.steps, each.changed, strict=True)
    ]
    if rows:
        columns = ("figure", "target", "from commit", "from run", "step", "99 % interval", "other artefacts")
        console.table("steps", columns, rows)
    click.echo(f"steps: {len(rows)}, figures: {len(series)}, runs: {max(len(each.runs) for each in series)}")
