"""The bench's tiny bundle as builds that are compared, and a build in which ranking sleeps."""

from __future__ import annotations

from pathlib import Path

from engine_runtime.artefacts.bundle import Bundle
from engine_runtime.artefacts.dataset import Dataset
from engine_runtime.search.building import IndexSettings
from engine_runtime.serve.engine import Engine
from engine_runtime.serve.indexing import make_index


def exact_index(bundle: Bundle, dataset: Dataset, out: Path) -> Path:
    """An index of the data set's items."""
    engine = Engine.load(bundle.root, threads=1)
    return make_index(engine, dataset, out, IndexSettings(method="exact")).root
