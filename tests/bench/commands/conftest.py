"""Options that the commands of the bench share."""

from __future__ import annotations

import pytest

from engine_runtime.artefacts.dataset import Dataset
from engine_runtime.artefacts.encoder import EncoderArtefact


@pytest.fixture(scope="module")
def inputs(encoder: EncoderArtefact, dataset: Dataset) -> list[str]:
    return [f"--encoder={encoder.root}", f"--dataset={dataset.root}", "--texts=20", "--rounds=1", "--threads=1"]
