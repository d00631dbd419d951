"""`engine bench run`: the standard suite."""

from __future__ import annotations

from pathlib import Path

import click

from engine_bench.commands.options import out_option
from engine_bench.commands.showing import show
from engine_runtime.commands import console
from engine_runtime.commands.options import EXISTING_DIRECTORY, json_option


@click.command("run")
@click.option("--bundle", type=EXISTING_DIRECTORY, required=True, help="The bundle.")
@click.option("--index", type=EXISTING_DIRECTORY, required=True, help="The index made with it.")
@click.option("--events", type=EXISTING_DIRECTORY, required=True, help="The data set whose users ask.")
@click.option("--target", default="auto", show_default=True, help="Hardware target; see `engine bench targets`.")
@click.option("--scenarios", default="", help="Names separated by commas; all if not given.")
@click.option(
    "--minutes",
    type=click.FloatRange(0, min_open=True),
    default=5.0,
    show_default=True,
    help="Shared evenly by the scenarios; least counts of rounds and requests come first.",
)
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Of who asks when.")
@click.option("--strict", is_flag=True, help="Fail where others kept the machine busy; what was measured is kept.")
@click.option("--history", type=click.Path(file_okay=False, path_type=Path), help="Folder that the record is added to.")
@out_option
@json_option
def run_suite(
    bundle: Path,
    index: Path,
    events: Path,
    target: str,
    scenarios: str,
    minutes: float,
    seed: int,
    strict: bool,
    history: Path | None,
    out: Path | None,
    as_json: bool,
) -> None:
    """Run the standard suite: every scenario with its stages, and how good the answers are that were timed.

    \b
    Example:
      engine bench run --bundle bundle --index index --events dataset --out record.json
      engine bench run --bundle bundle --index index --events dataset --scenarios single,search --history history
    """
    from msgspec import to_builtins

    from engine_bench.suite.card import read_card
    from engine_bench.suite.history import keep
    from engine_bench.suite.plan import Plan
    from engine_bench.suite.record import save
    from engine_bench.suite.record_report import facts, notes, sheets
    from engine_bench.suite.running import chosen
    from engine_bench.suite.running import run_suite as measured
    from engine_bench.suite.strictness import refuse_disturbed
    from engine_bench.suite.subject import Subject
    from engine_bench.suite.targets import choose_target
    from engine_runtime.artefacts.index import IndexArtefact

    names, card = chosen(scenarios), read_card()
    variant = IndexArtefact.open(index, verify=False).info.precision
    subject = Subject.load(choose_target(target, card, (variant,)), bundle, index, events)
    plan = Plan(seconds=60 * minutes / len(names), seed=seed)
    record = measured(subject, plan, card, names, console.note)
    if out is not None:
        save(record, out)
    if history is not None:
        keep(record, history)
    if as_json:
        console.emit(to_builtins(record, str_keys=True))
    else:
        show(facts(record), sheets(record))
        for line in notes(record):
            click.echo(line)
    if strict:
        refuse_disturbed(record.rows)
