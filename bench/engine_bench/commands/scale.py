"""`engine bench scale`: from raw events to served profiles at growing sizes."""

from __future__ import annotations

from pathlib import Path

import click

from engine_bench.commands.options import numbers, out_option
from engine_bench.commands.showing import keep, show
from engine_runtime.commands import console
from engine_runtime.commands.options import EXISTING_DIRECTORY, json_option


@click.command("scale")
@click.option(
    "--users",
    default="100000,1000000",
    show_default=True,
    help="Sizes, separated by commas; the bundle is trained at the first. One that comes again is measured again.",
)
@click.option(
    "--items", type=click.IntRange(1), default=200_000, show_default=True, help="Of the catalogue, at every size."
)
@click.option("--events-per-user", type=click.IntRange(1), default=20, show_default=True, help="On average.")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Of the made-up shop.")
@click.option("--bundle", type=EXISTING_DIRECTORY, help="Serve with this one, in place of one trained here.")
@click.option("--encoder", type=EXISTING_DIRECTORY, help="Train with this exported one; all-MiniLM-L6-v2 if not given.")
@click.option(
    "--minutes",
    type=click.FloatRange(0, min_open=True),
    default=5.0,
    show_default=True,
    help="Of training: no epoch starts after so long.",
)
@click.option("--memory", default="2GB", show_default=True, help="Memory that ingest and serve-batch may take.")
@click.option("--workers", type=click.IntRange(1), help="Of each step; all CPUs that may be used if not given.")
@click.option(
    "--workdir",
    type=click.Path(file_okay=False, path_type=Path),
    required=True,
    help="Where everything goes: about 5 GB for a million users. What is done there is not done again.",
)
@click.option("--force", is_flag=True, help="Do every step again.")
@click.option("--clean", is_flag=True, help="Remove what was made in the work folder when the figures are there.")
@out_option
@json_option
def scale(
    users: str,
    items: int,
    events_per_user: int,
    seed: int,
    bundle: Path | None,
    encoder: Path | None,
    minutes: float,
    memory: str,
    workers: int | None,
    workdir: Path,
    force: bool,
    clean: bool,
    out: Path | None,
    as_json: bool,
) -> None:
    """Make up a shop, ingest it, index it, serve every user; say what each step took, and how good the rows are.

    Each step is the command that a user would call, in a process of its own; memory counts its children, too. The last
    event of some users is kept back before ingest, and what is served is judged by it. A step that is done is not done
    again: the same command goes on where it was stopped. With --users 100000,1000000,100000 the first size comes again
    and says how far the machine itself moved meanwhile.

    \b
    Example:
      engine bench scale --workdir scale --out scale.json
      engine bench scale --users 10000 --items 2000 --bundle bundle --workdir small --clean
    """
    from engine_bench.scale.journey import Plan, travel
    from engine_bench.scale.journey import clean as remove
    from engine_bench.scale.report import notes, sheets
    from engine_runtime.inference.session import available_cpus

    plan = Plan(
        workdir=workdir.absolute(),
        users=tuple(numbers("--users", users)),
        items=items,
        events_per_user=events_per_user,
        seed=seed,
        bundle=bundle,
        encoder=encoder,
        minutes=minutes,
        memory=memory,
        workers=workers or available_cpus(),
        force=force,
    )
    found = travel(plan, console.note)
    if not keep(found, out, as_json):
        show(found.measured_on.facts(), sheets(found))
        for line in notes(found):
            click.echo(line)
    if clean:
        remove(plan)
