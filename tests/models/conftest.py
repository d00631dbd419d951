"""A planted data set, an encoder for it and a run trained on both: what the tests of training need, made once."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from audited import Audited, make_audited
from engine_models import contestants, training
from engine_models.corpus import Corpus, read_corpus
from engine_models.settings import TrainSettings
from engine_models.training import Where, train
from engine_runtime.artefacts import bundle, index
from engine_runtime.artefacts.bundle import BundleInfo
from engine_runtime.artefacts.dataset import Dataset
from engine_runtime.artefacts.encoder import EncoderArtefact, EncoderInfo
from engine_runtime.artefacts.index import IndexInfo
from engine_runtime.artefacts.run import Run
from engine_runtime.artefacts.writing import drafting
from planted import WIDTH, HashingEncoder, Rings, Served, write_encoder


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="session")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("models")


@pytest.fixture(scope="session")
def dataset(scratch: Path) -> Dataset:
    return Rings().ingest(scratch / "rings")


@pytest.fixture(scope="session")
def corpus(dataset: Dataset) -> Corpus:
    return read_corpus(dataset)


@pytest.fixture(scope="session")
def encoder(scratch: Path) -> EncoderArtefact:
    return write_encoder(scratch / "encoder")


@pytest.fixture(scope="session")
def recipe() -> TrainSettings:
    return TrainSettings(
        dim=16, n_blocks=1, max_events=8, n_concepts=6, dropout=0.1, learning_rate=0.01, average=0.9, batch_events=128
    )


@pytest.fixture
def hashing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training, "TextEncoder", HashingEncoder)


@pytest.fixture(scope="session")
def trained(scratch: Path, dataset: Dataset, encoder: EncoderArtefact, recipe: TrainSettings) -> Run:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(training, "TextEncoder", HashingEncoder)
        return train(dataset, encoder, Where(scratch / "run"), recipe)


@pytest.fixture(scope="session")
def second(scratch: Path, dataset: Dataset, encoder: EncoderArtefact, recipe: TrainSettings) -> Run:
    """The recipe of `trained` with another seed."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(training, "TextEncoder", HashingEncoder)
        return train(dataset, encoder, Where(scratch / "second"), replace(recipe, seed=1))


@pytest.fixture
def served(tmp_path: Path, dataset: Dataset, trained: Run, second: Run, monkeypatch: pytest.MonkeyPatch) -> Served:
    """Bundles of `trained` and `second` with an index each, and an engine that stands for them."""
    info = BundleInfo(
        EncoderInfo("hash", "0" * 64, WIDTH, 64, 0, ("fp32",), {}, "mean", {}),
        trained.info.shape,
        ("fp32",),
        "fp32",
        trained.info.value,
        trained.info.gap,
        trained.info.event_types,
        trained.info.event_weights,
        trained.info.fusion,
        {},
    )
    bundles, indexes = [], []
    for run in (trained, second):
        with drafting(tmp_path / f"bundle-{run.root.name}", bundle.KIND) as draft:
            shutil.copyfile(run.items, draft.path / bundle.ITEMS_FILE)
            made = draft.seal(info, {"run": run.manifest.digest})
        with drafting(tmp_path / f"index-{run.root.name}", index.KIND) as draft:
            shutil.copyfile(run.vectors, draft.path / index.VECTORS_FILE)
            found = IndexInfo("int8", 8, 56, 56, 0, 56, "hnsw", 16, 100, 50, 1.0, 10)
            draft.seal(found, {"bundle": made.digest, "dataset": dataset.manifest.digest})
        bundles.append(tmp_path / f"bundle-{run.root.name}")
        indexes.append(tmp_path / f"index-{run.root.name}")
    stands = SimpleNamespace(
        profile=lambda histories: histories,
        recommend=lambda profiles, k: SimpleNamespace(items=np.full((len(profiles), k), -1, np.int32)),
        precision="int8",
        shelf=SimpleNamespace(index=SimpleNamespace(method="hnsw")),
    )
    monkeypatch.setattr(contestants, "Engine", SimpleNamespace(load=lambda *_: stands))
    return Served(bundles, indexes)


@pytest.fixture(scope="session")
def audited(scratch: Path) -> Audited:
    """A shop whose customers are served."""
    return make_audited(scratch / "audited")
