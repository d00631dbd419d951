"""`engine concepts`."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from textwrap import shorten

import click

from engine_models.concept_quality import ConceptReport, Purity, judge_concepts
from engine_models.corpus import read_corpus
from engine_runtime.artefacts.dataset import Dataset
from engine_runtime.artefacts.manifest import check_parent
from engine_runtime.artefacts.run import Run
from engine_runtime.commands.console import emit, facts
from engine_runtime.commands.options import EXISTING_DIRECTORY, json_option

TITLE_WIDTH = 40


@click.command(short_help="Show the concepts of a run, and how good they are.")
@click.argument("run", type=EXISTING_DIRECTORY)
@click.argument("dataset", type=EXISTING_DIRECTORY)
@click.option("--show", type=click.IntRange(1), default=20, show_default=True, help="Concepts shown, drawn at random.")
@click.option("--seed", type=int, default=0, show_default=True, help="Of all that is drawn.")
@json_option
def concepts(run: Path, dataset: Path, show: int, seed: int, as_json: bool) -> None:
    """Show concepts of RUN with the items nearest to them, and judge all of them on DATASET.

    Purity is the share of items whose category is the commonest one in their nearest concept, beside groups of the
    same sizes drawn at random and plain k-means on the texts. Stability is the cosine between the profiles from a
    user's odd and even events, beside that to another user drawn at random.

    \b
    Example:
      engine concepts run dataset --show 20
    """
    opened, data = Run.open(run), Dataset.open(dataset)
    check_parent(run, opened.manifest, "dataset", data.manifest.digest)
    corpus = read_corpus(data)
    report = judge_concepts(opened, corpus, n_shown=show, seed=seed)
    if as_json:
        emit(dataclasses.asdict(report))
    else:
        _show(data.info.name, report)


def _show(name: str, report: ConceptReport) -> None:
    facts(
        f"{name}: {len(report.shown)} of {report.n_concepts} concepts, the items nearest to each",
        {
            concept: "; ".join(shorten(title, TITLE_WIDTH, placeholder="...") for title in found)
            for concept, found in report.shown.items()
        },
    )
    judged = {
        "concepts": f"{report.n_concepts}, of which {report.n_merged} lie on another's centre and {report.n_empty} "
        "are nearest to no item"
    }
    for level, purity in (("innermost", report.leaf), ("outermost", report.top)):
        if purity is not None:
            judged[f"purity, {level} category"] = _purity(purity)
    if report.stability is not None:
        stable = report.stability
        judged["profiles of odd and even events"] = (
            f"cosine {stable.same:.3f}, to another user's {stable.other:.3f}; the user's own is nearer for "
            f"{stable.nearer:.1%} of {stable.users:,} users"
        )
    facts("how good they are", judged)


def _purity(purity: Purity) -> str:
    return f"{purity.concepts:.3f}, at random {purity.random:.3f}, k-means on texts {purity.kmeans:.3f}"
