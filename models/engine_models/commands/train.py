"""`engine train`."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import click

from engine_models.commands.labels import labels_option, shown_labels
from engine_models.labels import add_labels, attribute_classes
from engine_models.model import pick_device
from engine_models.settings import TrainSettings
from engine_models.training import Where
from engine_models.training import train as train_run
from engine_runtime.artefacts.dataset import Dataset
from engine_runtime.artefacts.encoder import EncoderArtefact
from engine_runtime.commands.console import emit, facts, note
from engine_runtime.commands.options import EXISTING_DIRECTORY, cache_option, force_option, json_option, out_option

DEFAULTS = TrainSettings()


@click.command(short_help="Train a refiner on a data set.")
@click.argument("dataset", type=EXISTING_DIRECTORY)
@click.option("--encoder", type=EXISTING_DIRECTORY, required=True, help="Encoder from `engine export --encoder`.")
@out_option("run")
@click.option("--seed", type=int, default=DEFAULTS.seed, show_default=True, help="Of weights, order and dropout.")
@click.option("--dim", type=click.IntRange(8, 1024), help="Width of vectors; from the data if not given.")
@click.option("--max-events", type=click.IntRange(2, 1000), help="Newest events read; from the data if not given.")
@click.option("--concepts", type=click.IntRange(2, 4096), help="Named concepts; from the catalogue if not given.")
@click.option("--dropout", type=click.FloatRange(0, 0.95), help="From the density of the data if not given.")
@click.option(
    "--learning-rate",
    type=click.FloatRange(0, min_open=True),
    default=DEFAULTS.learning_rate,
    show_default=True,
    help="Of Adam.",
)
@click.option("--negatives", type=click.IntRange(0), help="Items sampled for the softmax; 0 for all of them.")
@click.option("--epochs", type=click.IntRange(1), default=DEFAULTS.epochs, show_default=True, help="At most.")
@click.option(
    "--patience",
    type=click.IntRange(1),
    default=DEFAULTS.patience,
    show_default=True,
    help="Validations without a gain.",
)
@click.option("--minutes", type=click.FloatRange(0, min_open=True), help="No epoch starts after so long.")
@click.option(
    "--without", default="", metavar="PARTS", help="Leave out text, id or decoder, commas between: to see their worth."
)
@click.option("--precision", default="auto", show_default=True, help="Encoder variant to train on: auto, int8 or fp32.")
@click.option(
    "--device",
    type=click.Choice(["auto", "cpu", "cuda"]),
    default="auto",
    show_default=True,
    help="Where to train; auto is CUDA where there is one.",
)
@click.option(
    "--withhold",
    type=click.FloatRange(0, 0.5),
    default=DEFAULTS.withhold,
    show_default=True,
    help="Share of items kept from training, to see how new ones do.",
)
@click.option(
    "--name-users",
    type=click.IntRange(0),
    default=DEFAULTS.name_users,
    show_default=True,
    help="Concepts are named only after items that so many users have met.",
)
@labels_option()
@click.option("--resume", is_flag=True, help="Go on from the checkpoint of a training that was stopped.")
@cache_option
@force_option
@json_option
def train(
    dataset: Path,
    encoder: Path,
    out: Path,
    concepts: int | None,
    precision: str,
    device: str,
    labels: tuple[str, ...],
    resume: bool,
    cache: Path | None,
    force: bool,
    as_json: bool,
    **settings: int | float | str | None,
) -> None:
    """Train item vectors and the refiner on DATASET.

    Each user's last event is held out for testing and the one before it for validation; training stops when the
    validation gets no better. An interrupted training leaves OUT.checkpoint; --resume goes on from there.

    \b
    Example:
      engine export --encoder all-MiniLM-L6-v2 --calibrate dataset --out encoder
      engine train dataset --encoder encoder --out run --minutes 30
    """
    chosen = pick_device(device)
    opened = Dataset.open(dataset)
    attribute_classes(opened, labels)
    run = train_run(
        opened,
        EncoderArtefact.open(encoder),
        Where(out, replace=force, resume=resume, cache=cache),
        TrainSettings(n_concepts=concepts, **settings),  # type: ignore[arg-type]  # click has checked the types
        precision=precision,
        device=chosen,
        report=note,
    )
    if labels:
        run = add_labels(run, opened, labels, out, replace=True, report=note)
    if as_json:
        emit({"run": str(out), "digest": run.manifest.digest} | dataclasses.asdict(run.info))
        return
    info = run.info
    shown = {
        "epochs": f"{info.epochs}, the best is {info.best_epoch}",
        "training": f"{info.train_seconds:.0f} s on {chosen.type}",
        "validation NDCG@10": f"{info.validation['model_ndcg@10']:.4f}",
        "with texts and successions": f"{info.validation['ndcg@10']:.4f}, weights {info.fusion.text_weight:g} and "
        f"{info.fusion.weight:g}; bonus of new items {info.fusion.bonus:g}",
    }
    facts(f"run in {out}", shown)
    shown_labels(info.labels)
    note(f"Next: engine export {out} --out bundle")
