"""Encoder, training and bundle in one go."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine_export.build import BuildSettings, build
from engine_export.encoder import ExportSettings
from engine_export.sources import EncoderSource
from engine_models.settings import TrainSettings
from engine_runtime.artefacts.dataset import Dataset
from engine_runtime.errors import UsageError
from tiny_models import FAST

SETTINGS = BuildSettings(
    ExportSettings(quantize=FAST), TrainSettings(dim=16, white_dim=16, n_concepts=8, max_events=8, epochs=1)
)


def test_build_makes_a_bundle_and_can_be_repeated(dataset: Dataset, source: EncoderSource, tmp_path: Path) -> None:
    """A second build takes up the encoder of the first."""
    told: list[str] = []
    first = build(dataset, source, tmp_path / "a", tmp_path / "work", SETTINGS)
    second = build(dataset, source, tmp_path / "b", tmp_path / "work", SETTINGS, report=told.append)
    assert first.manifest.parents["encoder"] == second.manifest.parents["encoder"]
    assert any(line.startswith("using the encoder in") for line in told)


def test_taken_place_is_said_before_the_work(dataset: Dataset, source: EncoderSource, tmp_path: Path) -> None:
    """A bundle in the way is an error before anything is made."""
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "file").touch()
    with pytest.raises(UsageError, match="exists already"):
        build(dataset, source, tmp_path / "out", tmp_path / "work", SETTINGS)
    assert not (tmp_path / "work").exists()
