"""`engine bench facts`: what can be said of a bundle without a clock."""

from __future__ import annotations

from pathlib import Path

import click

from engine_bench.commands.options import out_option
from engine_bench.commands.showing import keep
from engine_runtime.commands import console
from engine_runtime.commands.options import EXISTING_DIRECTORY, json_option, threads_option


@click.command()
@click.option("--bundle", type=EXISTING_DIRECTORY, required=True, help="From `engine export`.")
@click.option("--index", "index_path", type=EXISTING_DIRECTORY, required=True, help="From `engine index`.")
@click.option("--events", type=EXISTING_DIRECTORY, required=True, help="The data set.")
@click.option("--target", default="auto", show_default=True, help="A target of `engine bench targets`, or a TOML file.")
@threads_option
@out_option
@json_option
def facts(
    bundle: Path,
    index_path: Path,
    events: Path,
    target: str,
    threads: int | None,
    out: Path | None,
    as_json: bool,
) -> None:
    """Count what does not depend on the clock, and so can fail a build: a change that makes it worse is worse anywhere.

    Positions that encoder and refiner compute for the data set, nodes of the graphs that really run, bytes of weights
    and files, recall of the index, and how far a vector depends on its batch.

    \b
    Example:
      engine bench facts --bundle bundle --index index --events dataset --out facts.json
    """
    from engine_bench.suite.card import read_card
    from engine_bench.suite.facts import find_facts
    from engine_bench.suite.facts_report import measures, sheets
    from engine_bench.suite.loading import load_on
    from engine_bench.suite.targets import choose_target
    from engine_runtime.artefacts.dataset import Dataset
    from engine_runtime.artefacts.index import IndexArtefact

    index = IndexArtefact.open(index_path)
    chosen = choose_target(target, read_card(), [index.info.precision])
    engine = load_on(chosen, bundle, index_path, threads)
    found = find_facts(engine, index, Dataset.open(events))
    if not keep(found, out, as_json):
        console.facts("facts", {"target": chosen.name} | measures(found))
        for sheet in sheets(found):
            console.table(sheet.title, sheet.columns, sheet.rows)
