"""`engine bench peers serve`: whole nights beside what a user would write today."""

from __future__ import annotations

from pathlib import Path

import click

from engine_bench.commands.options import out_option
from engine_bench.commands.showing import keep, show
from engine_runtime.commands import console
from engine_runtime.commands.options import EXISTING_DIRECTORY, json_option, threads_option

NUMBER = click.IntRange(min=1)


@click.command("serve")
@click.option("--bundle", type=EXISTING_DIRECTORY, required=True, help="The exported bundle.")
@click.option("--dataset", type=EXISTING_DIRECTORY, required=True, help="The data set that the bundle was made from.")
@click.option("--users", type=NUMBER, default=5000, show_default=True, help="Serve so many, chosen evenly.")
@click.option(
    "--weights",
    type=EXISTING_DIRECTORY,
    default=None,
    help="Model folder that sentence-transformers runs; the bundle's encoder if not given.",
)
@click.option(
    "--large",
    type=EXISTING_DIRECTORY,
    default=None,
    help="Model folder of an encoder of BERT's size, all-mpnet-base-v2 say; random weights if not given.",
)
@click.option("--large-users", type=NUMBER, default=500, show_default=True, help="Users that it serves.")
@click.option("--large-items", type=NUMBER, default=None, help="Items that it reads; all if not given.")
@click.option("--peers", "names", default="", help="Peers to measure, separated by commas; all if not given.")
@click.option("--rounds", type=NUMBER, default=3, show_default=True, help="Rounds to run.")
@threads_option
@out_option
@json_option
def peers_serve(
    bundle: Path,
    dataset: Path,
    users: int,
    weights: Path | None,
    large: Path | None,
    large_users: int,
    large_items: int | None,
    names: str,
    rounds: int,
    threads: int | None,
    out: Path | None,
    as_json: bool,
) -> None:
    """Serve the same users by this engine and by what a user would write today, in turn.

    From each user's events before the test event, and from the items' texts, to profiles and ten recommendations. The
    peers are sentence-transformers with hnswlib: sentence-joined reads one text a user, that of all the user's items;
    sentence-mean takes the mean of the items' vectors; large-joined is sentence-joined with an encoder of BERT's size,
    and runs once, on fewer users, since it is slow. The lists that were timed are judged by the test event.

    \b
    Example:
      engine bench peers serve --bundle bundle --dataset dataset --out serve.json
      engine bench peers serve --bundle bundle --dataset dataset --large all-mpnet-base-v2 --large-users 1000
    """
    from engine_bench.serving.entry import PEERS, Setting, contest
    from engine_bench.serving.report import notes, settings, sheets
    from engine_export.sources import resolve
    from engine_runtime.artefacts.bundle import Bundle
    from engine_runtime.inference.session import available_cpus

    setting = Setting(
        users=users,
        weights=resolve(str(weights or Bundle.open(bundle, verify=False).info.encoder.source)).folder,
        large=large,
        large_users=large_users,
        large_items=large_items,
        threads=threads or available_cpus(),
        rounds=rounds,
    )
    peers = [name.strip() for name in names.split(",") if name.strip()]
    found = contest(bundle, dataset, peers or PEERS, setting, console.note)
    if keep(found, out, as_json):
        return
    show(found.machine.facts() | {"bundle": found.bundle, "data set": found.dataset}, sheets(found))
    console.facts("how each ran", settings(found))
    for line in notes(found):
        click.echo(line)
