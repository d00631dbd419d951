"""A folder as a contest leaves it for its contenders."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine_bench.serving.asked import Asked, ask
from engine_bench.serving.night import Given
from engine_export.sources import EncoderSource
from engine_runtime.artefacts.bundle import Bundle
from engine_runtime.artefacts.dataset import Dataset


@pytest.fixture
def asked(visited: Dataset, tmp_path: Path) -> Asked:
    return ask(visited, 12, tmp_path / "asked")


@pytest.fixture
def folder(asked: Asked, bundle: Bundle, source: EncoderSource, tmp_path: Path) -> str:
    given = Given(str(bundle.root), str(asked.dataset.root), str(source.folder), None, 30, 5, 1)
    given.write(tmp_path)
    return str(tmp_path)
