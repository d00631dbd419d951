"""`engine labels`, and the option by which `engine train` does the same."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click

from engine_models.labels import add_labels
from engine_runtime.artefacts.dataset import Dataset
from engine_runtime.artefacts.labels import Interval, LabelInfo
from engine_runtime.artefacts.run import Run
from engine_runtime.commands.console import emit, note, table
from engine_runtime.commands.options import EXISTING_DIRECTORY, force_option, json_option, out_option

Command = TypeVar("Command", bound=Callable[..., Any])


def _names(context: click.Context, parameter: click.Parameter, value: str | None) -> tuple[str, ...]:
    """Names between commas, each once."""
    return tuple(dict.fromkeys(name for part in (value or "").split(",") if (name := part.strip())))


def labels_option(*, required: bool = False) -> Callable[[Command], Command]:
    """Option ``--labels``: attributes of users to predict."""
    return click.option(
        "--labels",
        callback=_names,
        required=required,
        metavar="NAME,...",
        help="Attributes in the users' file to predict for other users.",
    )


@click.command(short_help="Teach a run to predict attributes of users.")
@click.argument("run", type=EXISTING_DIRECTORY)
@click.argument("dataset", type=EXISTING_DIRECTORY)
@labels_option(required=True)
@out_option("run")
@click.option("--seed", type=int, default=0, show_default=True, help="Of the users held out, folds and bootstrap.")
@force_option
@json_option
def labels(run: Path, dataset: Path, labels: tuple[str, ...], out: Path, seed: int, force: bool, as_json: bool) -> None:
    """Copy RUN to OUT with a head for each of the attributes that --labels names; DATASET is the one of RUN.

    A head is learned from four fifths of the users and measured on the others, with 95 % intervals from 1,000
    bootstrap samples of them. The model stays as it is. Export the new run to serve with it.

    \b
    Example:
      engine labels run dataset --labels gender,age --out run-labels
      engine export run-labels --out bundle
    """
    if not labels:
        raise click.UsageError("--labels names no attribute.")
    made = add_labels(Run.open(run), Dataset.open(dataset), labels, out, replace=force, seed=seed, report=note)
    if as_json:
        heads = [dataclasses.asdict(info) for info in made.info.labels]
        emit({"run": str(out), "digest": made.manifest.digest, "labels": heads})
        return
    shown_labels(made.info.labels)
    note(f"Next: engine export {out} --out bundle")


def shown_labels(infos: Sequence[LabelInfo]) -> None:
    """Print how well attributes are predicted; nothing where there are none."""
    if not infos:
        return
    table(
        "attributes predicted for users who were held out, 95 % intervals over users",
        ("", "classes", "users", "majority", "accuracy", "AUC", "calibration error", "accuracy on fitted users"),
        [
            (
                info.name,
                str(len(info.classes)),
                f"{info.n_held_out:,}",
                f"{info.majority:.4f}",
                _shown(info.accuracy),
                _shown(info.auc),
                f"{info.calibration_error:.4f}",
                f"{info.fitted_accuracy:.4f}",
            )
            for info in infos
        ],
    )


def _shown(measure: Interval) -> str:
    return f"{measure.value:.4f} [{measure.low:.4f}, {measure.high:.4f}]"
