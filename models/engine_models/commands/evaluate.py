"""`engine evaluate`."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

import click

from engine_models.contestants import as_trained, directions_of, open_entries, systems_of
from engine_models.corpus import read_corpus
from engine_models.evaluation import RULES, Evaluation, Row
from engine_models.evaluation import evaluate as evaluate_systems
from engine_models.metrics import NAMES, Estimate
from engine_models.published import PUBLISHED, Quoted
from engine_runtime.artefacts.dataset import Dataset
from engine_runtime.commands.console import emit, note, table
from engine_runtime.commands.options import EXISTING_DIRECTORY, json_option, precision_option

SHOWN = ("recall@10", "ndcg@10")


@click.command(short_help="Rank the catalogue for every user, baselines beside it.")
@click.argument("models", nargs=-1, required=True, type=EXISTING_DIRECTORY, metavar="RUN|BUNDLE...")
@click.argument("dataset", type=EXISTING_DIRECTORY)
@click.option(
    "--index",
    "indexes",
    type=EXISTING_DIRECTORY,
    multiple=True,
    help="Index of a bundle; needed for each bundle, in any order.",
)
@click.option("--users", type=click.IntRange(1), help="Users asked for, drawn at random; all if not given.")
@click.option("--seed", type=int, default=0, show_default=True, help="Of the bootstrap and the sample.")
@click.option("--ablations", is_flag=True, help="Also parts of each run alone, and shuffled histories.")
@precision_option
@json_option
def evaluate(
    models: Sequence[Path],
    dataset: Path,
    indexes: Sequence[Path],
    users: int | None,
    seed: int,
    ablations: bool,
    precision: str,
    as_json: bool,
) -> None:
    """Rank the whole catalogue for every held-out user of DATASET.

    Asked for is each user's last event; seen items are masked. A RUN is judged in float32 with exact search, a BUNDLE
    as it serves, through its index. Runs that differ in their seed alone are one row with mean and deviation, and so
    are bundles whose runs are named too. Popularity and counting rules, with and without texts, all from the training
    part alone, stand beside them, with 95 % intervals from 1,000 bootstrap samples of the users; and for known data
    sets figures of the literature, quoted.

    \b
    Example:
      engine evaluate run dataset --ablations
      engine evaluate run-0 run-1 bundle-0 bundle-1 dataset --index index-0 --index index-1
    """
    opened = Dataset.open(dataset)
    entries = open_entries(models, indexes, opened)
    corpus = as_trained(entries, read_corpus(opened))
    systems = systems_of(entries, corpus, precision, ablations=ablations)
    note(f"ranking {int(corpus.rankable.sum()):,} items for {len(corpus.split.users):,} users")
    result = evaluate_systems(corpus, systems, directions=directions_of(entries[0]), seed=seed, most_users=users)
    quoted = PUBLISHED.get(opened.info.name, ())
    if as_json:
        emit(dataclasses.asdict(result) | {"quoted": [dataclasses.asdict(row) for row in quoted]})
    else:
        _show(opened.info.name, result, quoted)


def _show(name: str, result: Evaluation, quoted: Sequence[Quoted]) -> None:
    table(
        f"{name}: {result.n_users:,} users, {result.n_items:,} items, full ranking, 95 % intervals over users; rows "
        "marked 'quoted' are of the literature, not run here; of several seeds mean and standard deviation",
        ("", *SHOWN, f"ndcg@10 against {RULES}"),
        [
            *((f"{row.system} (quoted: {row.source})", f"{row.recall:.4f}", f"{row.ndcg:.4f}", "") for row in quoted),
            *((_named(system, row), *_cells(system, row)) for system, row in result.rows.items()),
        ],
    )
    table(
        "all metrics, means",
        ("", *NAMES),
        [(system, *(f"{row.metrics[name].mean:.4f}" for name in NAMES)) for system, row in result.rows.items()],
    )
    _show_slices("NDCG@10 by slice", result, {system: row.slices for system, row in result.rows.items()})
    _show_slices("recall@10 by slice", result, {system: row.recalls for system, row in result.rows.items()})
    table(
        "NDCG@10 of a row less that of the row with the number; * where the 95 % interval of the users' differences "
        "leaves out 0",
        ("", *(str(number) for number in range(1, len(result.rows) + 1))),
        [
            (f"{number} {system}", *(_difference(row.against.get(other)) for other in result.rows))
            for number, (system, row) in enumerate(result.rows.items(), 1)
        ],
    )


def _show_slices(title: str, result: Evaluation, rows: dict[str, dict[str, Estimate]]) -> None:
    table(
        title,
        ("", *(f"{slice_} ({count:,})" for slice_, count in result.slice_users.items())),
        [(system, *(f"{row[slice_].mean:.4f}" for slice_ in result.slice_users)) for system, row in rows.items()],
    )


def _named(system: str, row: Row) -> str:
    return system if len(row.seeds) == 1 else f"{system} ({len(row.seeds)} seeds)"


def _cells(system: str, row: Row) -> list[str]:
    spread = {name: f" ± {row.deviation[name]:.4f}" if len(row.seeds) > 1 else "" for name in SHOWN}
    cells = [_interval(row.metrics[name], spread[name]) for name in SHOWN]
    return [*cells, _interval(row.against[RULES], signed=True) if system != RULES else ""]


def _interval(value: Estimate, spread: str = "", *, signed: bool = False) -> str:
    sign = "+" if signed else ""
    return f"{value.mean:{sign}.4f}{spread} [{value.low:{sign}.4f}, {value.high:{sign}.4f}]"


def _difference(value: Estimate | None) -> str:
    if value is None:
        return ""
    return f"{value.mean:+.4f}{'*' if value.low > 0 or value.high < 0 else ' '}"
