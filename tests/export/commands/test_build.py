"""`engine build` at the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from engine_export.sources import EncoderSource
from engine_runtime.artefacts.bundle import Bundle
from engine_runtime.artefacts.dataset import Dataset
from engine_runtime.cli import run


def test_build_from_a_data_set(
    capsys: pytest.CaptureFixture[str], source: EncoderSource, dataset: Dataset, tmp_path: Path
) -> None:
    """A data set becomes a bundle, with encoder and run in the work directory."""
    options = ["--encoder", str(source.folder), "--work", str(tmp_path / "work"), "--minutes", "0.02", "--json"]
    code = run(["build", str(dataset.root), "--out", str(tmp_path / "bundle"), *options])
    assert code == 0
    assert json.loads(capsys.readouterr().out)["digest"] == Bundle.open(tmp_path / "bundle").manifest.digest
    assert {path.name for path in (tmp_path / "work").iterdir()} == {"encoder", "run"}
