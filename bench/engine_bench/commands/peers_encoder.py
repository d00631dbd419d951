"""`engine bench peers encoder`: the encoder beside others that run the same weights."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from engine_bench.commands.options import dataset_option, encoder_option, out_option, rounds_option, texts_option
from engine_bench.commands.showing import keep, show
from engine_runtime.commands import console
from engine_runtime.commands.options import EXISTING_DIRECTORY, json_option, threads_option

if TYPE_CHECKING:
    from engine_runtime.artefacts.encoder import EncoderArtefact


@click.command("encoder")
@encoder_option
@dataset_option
@click.option(
    "--weights", type=EXISTING_DIRECTORY, default=None, help="Model folder of the encoder, where its name does not say."
)
@click.option(
    "--student", type=EXISTING_DIRECTORY, default=None, help="A smaller exported encoder, measured as a row of its own."
)
@click.option("--peers", "names", default="", help="Peers to measure, separated by commas; all if not given.")
@texts_option
@rounds_option
@click.option(
    "--latency-calls",
    type=click.IntRange(min=0),
    default=1000,
    show_default=True,
    help="Calls with one text; none if 0.",
)
@threads_option
@out_option
@json_option
def peers_encoder(
    encoder: Path,
    dataset: Path,
    weights: Path | None,
    student: Path | None,
    names: str,
    texts: int | None,
    rounds: int,
    latency_calls: int,
    threads: int | None,
    out: Path | None,
    as_json: bool,
) -> None:
    """Encode the same texts with the same weights by this engine and by others, in turn.

    Each lives in a process of its own and runs at its best setting, found by a short trial. A peer that is not
    installed is left out, with the line that installs it.

    \b
    Example:
      engine bench peers encoder --encoder encoder --dataset dataset --out peers.json
      engine bench peers encoder --encoder encoder --dataset dataset --peers openvino-int8,fastembed --texts 2000
    """
    from engine_bench.comparison import Setting, compare
    from engine_bench.fingerprint import Fingerprint
    from engine_bench.peers.registry import chosen
    from engine_bench.report import notes, settings, sheets
    from engine_bench.workload import make_workload
    from engine_runtime.artefacts.dataset import Dataset
    from engine_runtime.artefacts.encoder import EncoderArtefact
    from engine_runtime.inference.session import available_cpus

    members = chosen([name.strip() for name in names.split(",") if name.strip()])
    artefact = EncoderArtefact.open(encoder)
    if student is not None:
        EncoderArtefact.open(student)
    setting = Setting(
        encoder=encoder,
        weights=_weights(artefact, weights),
        student=student,
        threads=threads or available_cpus(),
        rounds=rounds,
        latency_calls=latency_calls,
    )
    workload = make_workload(Dataset.open(dataset), artefact, texts)
    fingerprint = Fingerprint.take(artefact)
    found = compare(members, workload, setting, fingerprint, console.note)
    if keep(found, out, as_json):
        return
    show(found.fingerprint.facts(), sheets(found))
    console.facts("how each ran", settings(found))
    for line in notes(found):
        click.echo(line)


def _weights(artefact: EncoderArtefact, folder: Path | None) -> Path:
    """The model folder that an encoder was exported from."""
    from engine_export.sources import resolve
    from engine_runtime.errors import UsageError

    source = resolve(str(folder or artefact.info.source))
    if source.weights != artefact.info.weights:
        raise UsageError(
            f"the weights in {source.folder} have sha256 {source.weights[:12]}, the encoder was exported from "
            f"{artefact.info.weights[:12]}. Give its own model folder with --weights."
        )
    return source.folder
