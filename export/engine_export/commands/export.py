"""`engine export`: an encoder alone, or a run as a bundle."""

from __future__ import annotations

import tempfile
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from engine_export.commands.shown import allow_option, document, precisions_option, show
from engine_runtime.artefacts.writing import check_free
from engine_runtime.commands.console import emit, note, progress
from engine_runtime.commands.options import EXISTING_DIRECTORY, force_option, json_option, out_option
from engine_runtime.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from engine_export.descent import Descendant
    from engine_export.encoder import ExportSettings
    from engine_export.sources import EncoderSource
    from engine_runtime.artefacts.bundle import Bundle
    from engine_runtime.artefacts.dataset import Dataset
    from engine_runtime.artefacts.encoder import EncoderArtefact


@click.command()
@click.argument("run", type=EXISTING_DIRECTORY, required=False)
@click.option(
    "--encoder",
    help="Without RUN: all-MiniLM-L6-v2 (default), a model folder, or a name on the Hugging Face hub. "
    "With RUN: the exported encoder, where it is not at the path that the run names.",
)
@click.option("--calibrate", type=EXISTING_DIRECTORY, help="Without RUN: data set whose item texts int8 is fitted to.")
@click.option(
    "--distill",
    is_flag=True,
    help="Without RUN: export a student, half as deep and with a third of the feed-forward neurons, that is trained "
    "towards the encoder's vectors on the data set's texts and held to how those rank.",
)
@click.option("--distill-steps", type=click.IntRange(1), help="With --distill: batches of training.  [default: 600]")
@click.option(
    "--tune-encoder",
    "tune",
    is_flag=True,
    help="Without RUN: tune the encoder first, so that texts of items which follow each other in the data set's "
    "histories lie together.",
)
@click.option("--tune-steps", type=click.IntRange(1), help="With --tune-encoder: batches of training.  [default: 300]")
@click.option(
    "--device",
    type=click.Choice(["auto", "cpu", "cuda"]),
    help="With --tune-encoder: where to train; auto is CUDA where there is one.  [default: auto]",
)
@click.option("--seed", type=int, help="With --distill or --tune-encoder: of order and sampling.  [default: 0]")
@click.option(
    "--dataset", type=EXISTING_DIRECTORY, help="With RUN: its data set, where it is not at the path that the run names."
)
@out_option("encoder or bundle")
@precisions_option
@allow_option
@force_option
@json_option
def export(
    run: Path | None,
    encoder: str | None,
    calibrate: Path | None,
    distill: bool,
    distill_steps: int | None,
    tune: bool,
    tune_steps: int | None,
    device: str | None,
    seed: int | None,
    dataset: Path | None,
    out: Path,
    precisions: tuple[str, ...],
    allow: tuple[str, ...],
    force: bool,
    as_json: bool,
) -> None:
    """Export an encoder, or RUN with its encoder, to verified ONNX.

    Every quantized variant is compared with float32; past the limits nothing is written, unless a measure is allowed
    by name.

    \b
    Example:
      engine export --calibrate dataset --out encoder
      engine export --encoder ./my-model --calibrate dataset --out encoder --precision fp16,int8,fp32
      engine export --calibrate dataset --distill --out student
      engine export --calibrate dataset --tune-encoder --out encoder
      engine export run --out bundle
    """
    from engine_export.encoder import ExportSettings

    settings = ExportSettings(precisions, allow=allow, replace=force)
    steps = distill_steps if distill else tune_steps
    given = {name: value for name, value in (("steps", steps), ("seed", seed)) if value is not None}
    _check_training(distill, tune, distill_steps, tune_steps, device, seed)
    artefact: EncoderArtefact | Bundle
    if distill or tune:
        make = partial(_student, given) if distill else partial(_tuned, given, device or "auto")
        artefact = _export_made(make, run, encoder, calibrate, dataset, out, settings)
    elif run is None:
        artefact = _export_encoder(encoder, calibrate, dataset, out, settings)
    else:
        artefact = _export_run(run, encoder, calibrate, dataset, out, settings)
    if as_json:
        emit(document(artefact))
    else:
        show(artefact)


def _export_encoder(
    name: str | None, calibrate: Path | None, dataset: Path | None, out: Path, settings: ExportSettings
) -> EncoderArtefact:
    from engine_export.encoder import export_encoder
    from engine_export.sources import DEFAULT, resolve
    from engine_runtime.artefacts.dataset import Dataset

    if dataset is not None:
        raise UsageError("--dataset goes with RUN. To export an encoder alone, use --calibrate DATASET.")
    if calibrate is None and settings.precisions != ("fp32",):
        raise UsageError(
            "int8 is fitted to real texts, and fp16 is judged on them: add --calibrate DATASET, or ask for "
            "--precision fp32 alone."
        )
    texts = Dataset.open(calibrate) if calibrate is not None else ()
    return export_encoder(resolve(name or DEFAULT), texts, out, settings, report=note)


def _export_made(
    make: Callable[[EncoderSource, Dataset, Path], Descendant],
    run: Path | None,
    name: str | None,
    calibrate: Path | None,
    dataset: Path | None,
    out: Path,
    settings: ExportSettings,
) -> EncoderArtefact:
    from engine_export.encoder import export_encoder
    from engine_export.sources import DEFAULT, resolve
    from engine_runtime.artefacts.dataset import Dataset

    if run is not None or dataset is not None or calibrate is None:
        raise UsageError(
            "--distill and --tune-encoder train on a data set: use them without RUN, with --calibrate DATASET."
        )
    check_free(out, "encoder", replace=settings.replace)
    learned = Dataset.open(calibrate)
    with tempfile.TemporaryDirectory() as scratch:
        made = make(resolve(name or DEFAULT), learned, Path(scratch))
        return export_encoder(made.source, learned, out, settings, made=made, report=note)


def _student(given: dict[str, int], source: EncoderSource, dataset: Dataset, scratch: Path) -> Descendant:
    from engine_export.distill import distill
    from engine_models.distillation import DistillSettings

    return distill(source, dataset, scratch, DistillSettings(**given), watch=progress, report=note)


def _tuned(given: dict[str, int], device: str, source: EncoderSource, dataset: Dataset, scratch: Path) -> Descendant:
    from engine_export.tuning import tune
    from engine_models.model import pick_device
    from engine_models.tuning import TuneSettings

    place = pick_device(device)
    return tune(source, dataset, scratch, TuneSettings(**given), device=place, watch=progress, report=note)


def _check_training(
    distill: bool, tune: bool, distill_steps: int | None, tune_steps: int | None, device: str | None, seed: int | None
) -> None:
    if distill and tune:
        raise UsageError("--distill and --tune-encoder each make another encoder: choose one.")
    if distill_steps is not None and not distill:
        raise UsageError("--distill-steps is for training a student: add --distill.")
    if (tune_steps is not None or device is not None) and not tune:
        raise UsageError("--tune-steps and --device are for tuning the encoder: add --tune-encoder.")
    if seed is not None and not (distill or tune):
        raise UsageError("--seed is for training an encoder: add --distill or --tune-encoder.")


def _export_run(
    path: Path,
    encoder: str | None,
    calibrate: Path | None,
    dataset: Path | None,
    out: Path,
    settings: ExportSettings,
) -> Bundle:
    from engine_export.bundle import export_run
    from engine_runtime.artefacts.dataset import Dataset
    from engine_runtime.artefacts.encoder import EncoderArtefact
    from engine_runtime.artefacts.run import Run

    if calibrate is not None:
        raise UsageError("--calibrate goes without RUN. A run is calibrated on its own data set; see --dataset.")
    run = Run.open(path)
    parents = {"encoder": encoder or run.info.encoder_path, "dataset": dataset or run.info.dataset_path}
    for kind, place in parents.items():
        if not Path(place).is_dir():
            raise UsageError(
                f"the run in {path} was made from the {kind} at {place}, which is not there. Add --{kind} PATH."
            )
    opened = EncoderArtefact.open(Path(parents["encoder"])), Dataset.open(Path(parents["dataset"]))
    return export_run(run, *opened, out, settings, report=note)
