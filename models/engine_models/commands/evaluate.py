"""`engine evaluate`."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

import click

from engine_models.corpus import Corpus, read_corpus
from engine_models.evaluation import RULES, Evaluation, System
from engine_models.evaluation import evaluate as evaluate_systems
from engine_models.metrics import NAMES, Estimate
from engine_models.systems import bundle_system, run_system
from engine_runtime import Engine
from engine_runtime.artefacts.bundle import KIND as BUNDLE
from engine_runtime.artefacts.dataset import Dataset
from engine_runtime.artefacts.index import IndexArtefact
from engine_runtime.artefacts.manifest import artefact_kind, check_parent
from engine_runtime.artefacts.run import KIND as RUN
from engine_runtime.artefacts.run import Run
from engine_runtime.commands.console import emit, note, table
from engine_runtime.commands.options import EXISTING_DIRECTORY, json_option, precision_option
from engine_runtime.errors import UsageError


@click.command(short_help="Rank the catalogue for every user, baselines beside it.")
@click.argument("models", nargs=-1, required=True, type=EXISTING_DIRECTORY, metavar="RUN|BUNDLE...")
@click.argument("dataset", type=EXISTING_DIRECTORY)
@click.option("--index", type=EXISTING_DIRECTORY, help="Index of the bundle; needed where a bundle is evaluated.")
@click.option("--users", type=click.IntRange(1), help="Users asked for, drawn at random; all if not given.")
@click.option("--seed", type=int, default=0, show_default=True, help="Of the bootstrap and the sample.")
@precision_option
@json_option
def evaluate(
    models: Sequence[Path],
    dataset: Path,
    index: Path | None,
    users: int | None,
    seed: int,
    precision: str,
    as_json: bool,
) -> None:
    """Rank the whole catalogue for every held-out user of DATASET.

    Asked for is each user's last event; seen items are masked. A RUN is judged in float32 with exact search, a BUNDLE
    as it serves, through its index. Popularity and counting rules, both from the training part alone, stand beside
    them, with 95 % intervals from 1,000 bootstrap samples of the users.

    \b
    Example:
      engine evaluate run dataset
      engine evaluate run bundle dataset --index index
    """
    opened = Dataset.open(dataset)
    corpus = read_corpus(opened)
    systems: dict[str, System] = {}
    alike = len({path.name for path in models}) < len(models)
    for path in models:
        prefix = f"{path if alike else path.name}: " if len(models) > 1 else ""
        found = _systems(path, index, opened, corpus, precision)
        systems |= {prefix + name: system for name, system in found.items()}
    note(f"ranking {int(corpus.rankable.sum()):,} items for {len(corpus.split.users):,} users")
    result = evaluate_systems(corpus, systems, seed=seed, most_users=users)
    if as_json:
        emit(dataclasses.asdict(result))
    else:
        _show(opened.info.name, result)


def _systems(path: Path, index: Path | None, dataset: Dataset, corpus: Corpus, precision: str) -> dict[str, System]:
    kind = artefact_kind(path)
    if kind == RUN:
        run = Run.open(path)
        check_parent(path, run.manifest, "dataset", dataset.manifest.digest)
        return {
            "model alone, fp32 exact": run_system(run, corpus, fused=False),
            "model, fp32 exact": run_system(run, corpus),
        }
    if kind != BUNDLE:
        raise UsageError(f"{path} holds the artefact '{kind}'; a run or a bundle can be evaluated.")
    if index is None:
        raise UsageError(f"{path} is a bundle and is evaluated as it serves: name its index with --index.")
    shelved = IndexArtefact.open(index, verify=False)
    check_parent(index, shelved.manifest, "dataset", dataset.manifest.digest)
    engine = Engine.load(path, index, precision)
    return {f"as served, {engine.precision} {engine.shelf.index.method}": bundle_system(engine, corpus)}


def _show(name: str, result: Evaluation) -> None:
    shown = ("recall@10", "ndcg@10")
    table(
        f"{name}: {result.n_users:,} users, {result.n_items:,} items, full ranking, 95 % intervals over users",
        ("", *shown, f"ndcg@10 against {RULES}"),
        [
            (
                system,
                *(_interval(row.metrics[metric]) for metric in shown),
                _interval(row.against_rules, signed=True),
            )
            for system, row in result.rows.items()
        ],
    )
    table(
        "all metrics, means",
        ("", *NAMES),
        [(system, *(f"{row.metrics[name].mean:.4f}" for name in NAMES)) for system, row in result.rows.items()],
    )
    table(
        "NDCG@10 by slice",
        ("", *(f"{slice_} ({count:,})" for slice_, count in result.slice_users.items())),
        [
            (system, *(f"{row.slices[slice_].mean:.4f}" for slice_ in result.slice_users))
            for system, row in result.rows.items()
        ],
    )


def _interval(value: Estimate, *, signed: bool = False) -> str:
    sign = "+" if signed else ""
    return f"{value.mean:{sign}.4f} [{value.low:{sign}.4f}, {value.high:{sign}.4f}]"
