"""`engine build`: from a data set to a bundle in one go."""

from __future__ import annotations

from pathlib import Path

import click

from engine_export.commands.shown import allow_option, document, precisions_option, show
from engine_runtime.commands.console import emit, note
from engine_runtime.commands.options import DIRECTORY, EXISTING_DIRECTORY, force_option, json_option, out_option


@click.command()
@click.argument("dataset", type=EXISTING_DIRECTORY)
@out_option("bundle")
@click.option("--encoder", help="all-MiniLM-L6-v2 (default), a model folder, or a name on the Hugging Face hub.")
@click.option(
    "--work",
    type=DIRECTORY,
    help="Where the encoder and the run go; models/artifacts/NAME if not given, NAME that of the bundle.",
)
@click.option(
    "--minutes",
    type=click.FloatRange(min=0, min_open=True),
    help="Most minutes of training; without a limit, it stops when it no longer gains.",
)
@click.option("--seed", type=int, default=0, show_default=True, help="Of weights, order and dropout.")
@precisions_option
@allow_option
@force_option
@json_option
def build(
    dataset: Path,
    out: Path,
    encoder: str | None,
    work: Path | None,
    minutes: float | None,
    seed: int,
    precisions: tuple[str, ...],
    allow: tuple[str, ...],
    force: bool,
    as_json: bool,
) -> None:
    """Build a bundle from DATASET: export the encoder, train, export.

    The same as `engine export`, `engine train` and `engine export` with their defaults. Stopped and started again, it
    goes on from what lies in the work directory.

    \b
    Example:
      engine build dataset --out bundle
      engine build dataset --out bundle --minutes 10
    """
    from engine_export.build import BuildSettings
    from engine_export.build import build as build_bundle
    from engine_export.encoder import ExportSettings
    from engine_export.sources import DEFAULT, resolve
    from engine_models.settings import TrainSettings
    from engine_runtime.artefacts.dataset import Dataset

    settings = BuildSettings(
        ExportSettings(precisions, allow=allow, replace=force), TrainSettings(seed=seed, minutes=minutes)
    )
    place = work or Path("models", "artifacts", out.resolve().name)
    bundle = build_bundle(Dataset.open(dataset), resolve(encoder or DEFAULT), out, place, settings, report=note)
    if as_json:
        emit(document(bundle))
    else:
        show(bundle)
