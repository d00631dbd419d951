"""`engine bench`: the engine beside its peers, and what its own time goes into."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec

from engine_runtime.commands import console
from engine_runtime.commands.options import EXISTING_DIRECTORY, json_option, threads_option

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine_bench.fingerprint import Fingerprint
    from engine_bench.sheets import Sheet
    from engine_runtime.artefacts.encoder import EncoderArtefact

encoder_option = click.option("--encoder", type=EXISTING_DIRECTORY, required=True, help="The exported encoder.")
dataset_option = click.option(
    "--dataset", type=EXISTING_DIRECTORY, required=True, help="Data set whose item texts are encoded."
)
texts_option = click.option(
    "--texts", type=click.IntRange(min=1), default=None, help="Encode so many of the texts; all if not given."
)
rounds_option = click.option(
    "--rounds", type=click.IntRange(min=1), default=5, show_default=True, help="Rounds to run."
)
out_option = click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    default=None,
    help="JSON file for the result with all raw rounds.",
)


@click.group()
def bench() -> None:
    """Measure this engine: beside its peers, and against what the machine could do.

    \b
    Example:
      engine bench peers encoder --encoder encoder --dataset dataset --out peers.json
      engine bench encoder --encoder encoder --dataset dataset
    """


@bench.group()
def peers() -> None:
    """Measure this engine beside others that do the same.

    \b
    Example:
      engine bench peers encoder --encoder encoder --dataset dataset
    """


@peers.command("encoder")
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
    if _keep(found, out, as_json):
        return
    _show(found.fingerprint, sheets(found))
    console.facts("how each ran", settings(found))
    for line in notes(found):
        click.echo(line)


@bench.command("encoder")
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

    counts = _counts(memory_texts)
    artefact = EncoderArtefact.open(encoder)
    workload = make_workload(Dataset.open(dataset), artefact, texts)
    found = dissect(encoder, workload, threads or available_cpus(), rounds, counts, console.note)
    if not _keep(found, out, as_json):
        _show(found.fingerprint, sheets(found))


@bench.command("refiner")
@click.option("--bundle", type=EXISTING_DIRECTORY, required=True, help="The exported bundle.")
@click.option("--run", "trained", type=EXISTING_DIRECTORY, required=True, help="The run that it was exported from.")
@click.option("--dataset", type=EXISTING_DIRECTORY, required=True, help="Data set whose histories are refined.")
@click.option("--users", type=click.IntRange(min=1), default=None, help="Refine so many; all if not given.")
@click.option(
    "--replay",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    default=None,
    help="Python of an environment with replay-rec and OpenVINO; without it RePlay is left out.",
)
@rounds_option
@out_option
@json_option
def refiner_beside_others(
    bundle: Path,
    trained: Path,
    dataset: Path,
    users: int | None,
    replay: Path | None,
    rounds: int,
    out: Path | None,
    as_json: bool,
) -> None:
    """Refine the same histories by this engine, by its network in PyTorch and by RePlay's compiled SASRec, in turn.

    One thread each. RePlay pins older packages than this engine runs with, so it has an environment of its own:
    python3.11 -m venv replay && replay/bin/pip install 'replay-rec[torch]' openvino onnx. Its weights are random, for
    only its speed is compared; it scores the whole catalogue, so ours is measured with exact search of it as well.

    \b
    Example:
      engine bench refiner --bundle bundle --run run --dataset dataset --replay replay/bin/python
    """
    from engine_bench.refiners.entry import contest
    from engine_bench.refiners.report import sheet

    found = contest(bundle, trained, dataset, users, replay, rounds, console.note)
    if _keep(found, out, as_json):
        return
    table = sheet(found.rows, found.users, found.events)
    console.facts("measured on", found.machine)
    console.table(table.title, table.columns, table.rows)
    console.facts("how each ran", {row.name: row.settings for row in found.rows} | found.left_out)
    console.facts("parity of the bundle's refiner", found.parity)


def _show(fingerprint: Fingerprint, tables: Sequence[Sheet]) -> None:
    console.facts("measured on", fingerprint.facts())
    for sheet in tables:
        console.table(sheet.title, sheet.columns, sheet.rows)


def _counts(given: str) -> list[int]:
    """Numbers of texts from an option."""
    from engine_runtime.errors import UsageError

    try:
        counts = [int(number) for number in given.split(",") if number.strip()]
    except ValueError:
        counts = [0]
    if any(count < 1 for count in counts):
        raise UsageError(f"--memory-texts takes numbers such as 12101,1000000, not '{given}'.")
    return counts


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


def _keep(found: Any, out: Path | None, as_json: bool) -> bool:
    """Write a result where it was asked for; whether it has been printed already."""
    if out is not None:
        out.write_bytes(msgspec.json.format(msgspec.json.encode(found)) + b"\n")
    if as_json:
        console.emit(msgspec.to_builtins(found))
    return as_json
