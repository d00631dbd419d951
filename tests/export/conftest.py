"""A tiny encoder, a tiny refiner, a small shop: what the tests of export need, made once."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from engine_export.encoder import ExportSettings, export_encoder
from engine_export.sources import EncoderSource
from engine_models.refiner import Refiner
from engine_models.settings import TrainSettings
from engine_models.training import Where, train
from engine_runtime.artefacts.dataset import Dataset
from engine_runtime.artefacts.encoder import EncoderArtefact
from engine_runtime.artefacts.run import RefinerShape, Run
from engine_runtime.cli import run as run_engine
from tiny_models import FAST, make_source, texts_of


@pytest.fixture(scope="session")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("export")


@pytest.fixture(scope="session")
def source(scratch: Path) -> EncoderSource:
    return make_source(scratch / "tiny-bert", "bert")


@pytest.fixture(scope="session")
def refiner() -> Refiner:
    torch.manual_seed(0)
    shape = RefinerShape(32, 16, 32, 2, 4, 50, 3, 12)
    made = Refiner(shape).eval()
    with torch.no_grad():
        for weight in made.parameters():
            weight.add_(torch.randn_like(weight), alpha=0.1)
    return made


@pytest.fixture(scope="session")
def dataset(scratch: Path) -> Dataset:
    folder = scratch / "shop"
    folder.mkdir()
    items = [{"id": f"i{row:03d}", "title": text} for row, text in enumerate(texts_of(120))]
    (folder / "items.jsonl").write_text("\n".join(map(json.dumps, items)))
    generator = np.random.default_rng(1)
    lines = ["user\titem\ttime"]
    for user in range(90):
        start = int(generator.integers(0, 120))
        lines += [f"u{user:03d}\ti{(start + 3 * step) % 120:03d}\t{1_600_000_000 + 5000 * step}" for step in range(6)]
    (folder / "events.tsv").write_text("\n".join(lines))
    (folder / "dataset.toml").write_text(
        'name = "shop"\n[files]\nevents = ["events.tsv"]\nitems = ["items.jsonl"]\n'
        '[events]\nuser = "user"\nitem = "item"\ntime = "time"\ntime_format = "seconds"\ndefault_type = "view"\n'
        '[event_types]\nview = 1.0\n[items]\nid = "id"\ntext = "{title}"\ntitle = "title"\n'
    )
    out = scratch / "dataset"
    assert run_engine(["data", "ingest", "--config", str(folder / "dataset.toml"), "--out", str(out)]) == 0
    return Dataset.open(out)


@pytest.fixture(scope="session")
def encoder(scratch: Path, source: EncoderSource, dataset: Dataset) -> EncoderArtefact:
    return export_encoder(source, dataset, scratch / "encoder", ExportSettings(quantize=FAST))


@pytest.fixture(scope="session")
def trained(scratch: Path, dataset: Dataset, encoder: EncoderArtefact) -> Run:
    settings = TrainSettings(dim=16, white_dim=16, n_concepts=8, max_events=8, epochs=2)
    return train(dataset, encoder, Where(scratch / "run"), settings)


@pytest.fixture(scope="session")
def complete(scratch: Path, source: EncoderSource, dataset: Dataset) -> EncoderArtefact:
    """An encoder with every variant."""
    settings = ExportSettings(("fp16", "int8", "fp32"), quantize=FAST)
    return export_encoder(source, dataset, scratch / "complete", settings)
