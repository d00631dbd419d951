"""`engine bench encoder`: where the time of the encoder goes."""

from __future__ import annotations

from pathlib import Path

import click

from engine_bench.commands.options import (
    dataset_option,
    encoder_option,
    numbers,
    out_option,
    rounds_option,
    texts_option,
)
from engine_bench.commands.showing import keep, show
from engine_runtime.commands import console
from engine_runtime.commands.options import json_option, threads_option


@click.command("encoder")
@encoder_option
@dataset_option
@texts_option
@rounds_option
@click.option(
    "--memory-texts",
    default="",
    help="Numbers of texts, separated by commas, whose encoding's memory is measured; made from those of the data set.",
)
@threads_option
@out_option
@json_option
def encoder_alone(
    encoder: Path,
    dataset: Path,
    texts: int | None,
    rounds: int,
    memory_texts: str,
    threads: int | None,
    out: Path | None,
    as_json: bool,
) -> None:
    """Say where the time of the int8 encoder goes, how soon it is ready, and what memory it takes.

    Its integer products alone, on the same batches, are the floor: no runtime on this machine could be faster with the
    same kernels. No peer is needed for this.

    \b
    Example:
      engine bench encoder --encoder encoder --dataset dataset --memory-texts 12101,1000000
    """
    from engine_bench.anatomy import dissect
    from engine_bench.anatomy_report import sheets
    from engine_bench.workload import make_workload
    from engine_runtime.artefacts.dataset import Dataset
    from engine_runtime.artefacts.encoder import EncoderArtefact
    from engine_runtime.inference.session import available_cpus

    counts = numbers("--memory-texts", memory_texts)
    artefact = EncoderArtefact.open(encoder)
    workload = make_workload(Dataset.open(dataset), artefact, texts)
    found = dissect(encoder, workload, threads or available_cpus(), rounds, counts, console.note)
    if not keep(found, out, as_json):
        show(found.fingerprint.facts(), sheets(found))
