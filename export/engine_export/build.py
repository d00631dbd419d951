"""From a data set to a bundle in one go: encoder, training, export.

Knows the three steps and where their results lie; everything else is theirs. What a stopped build left in its work
directory is taken up again where it still fits.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from engine_export.bundle import export_run
from engine_export.encoder import ExportSettings, Report, export_encoder, silent
from engine_export.sources import EncoderSource
from engine_models.settings import TrainSettings
from engine_models.training import Where, train
from engine_runtime.artefacts.bundle import Bundle
from engine_runtime.artefacts.dataset import Dataset
from engine_runtime.artefacts.encoder import EncoderArtefact
from engine_runtime.artefacts.writing import check_free
from engine_runtime.errors import ArtefactError


@dataclass(frozen=True)
class BuildSettings:
    """What may be chosen about a build.

    Attributes
    ----------
    export
        Of the encoder and the bundle.
    train
        Of the training.
    """

    export: ExportSettings = field(default_factory=ExportSettings)
    train: TrainSettings = field(default_factory=TrainSettings)


def build(
    dataset: Dataset,
    source: EncoderSource,
    out: Path,
    work: Path,
    settings: BuildSettings | None = None,
    *,
    report: Report = silent,
) -> Bundle:
    """Export the encoder, train a run and export the bundle.

    Parameters
    ----------
    dataset
        What to learn from and to calibrate on.
    source
        The pretrained encoder.
    out
        Where the bundle goes.
    work
        Where the encoder and the run go; those of an earlier build are replaced.
    settings
        Of the three steps.
    report
        Told what happens, a line at a time.

    Raises
    ------
    EngineError
        As each of the steps does.
    """
    settings = settings or BuildSettings()
    check_free(out, "bundle", replace=settings.export.replace)
    encoder = _encoder(dataset, source, work / "encoder", settings.export, report)
    run = train(dataset, encoder, Where(work / "run", replace=True, resume=True), settings.train, report=report)
    return export_run(run, encoder, dataset, out, settings.export, report=report)


def _encoder(
    dataset: Dataset, source: EncoderSource, path: Path, settings: ExportSettings, report: Report
) -> EncoderArtefact:
    found = _fitting(path, dataset, source, settings)
    if found is not None:
        report(f"using the encoder in {path}")
        return found
    own = ExportSettings(settings.ordered, settings.quantize, settings.limits, settings.allow, replace=True)
    return export_encoder(source, dataset, path, own, report=report)


def _fitting(path: Path, dataset: Dataset, source: EncoderSource, settings: ExportSettings) -> EncoderArtefact | None:
    """An encoder that an earlier build left, made from the same things; None where there is none."""
    try:
        found = EncoderArtefact.open(path)
    except ArtefactError:
        return None
    same = (
        found.manifest.parents.get("dataset") == dataset.manifest.digest
        and found.info.weights == source.weights
        and found.info.precisions == settings.ordered
    )
    return found if same else None
