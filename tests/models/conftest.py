"""A planted data set, an encoder for it and a run trained on both: what the tests of training need, made once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest
import torch

from engine_models import training
from engine_models.corpus import Corpus, read_corpus
from engine_models.settings import TrainSettings
from engine_models.training import Where, train
from engine_runtime.artefacts.dataset import Dataset
from engine_runtime.artefacts.encoder import EncoderArtefact
from engine_runtime.artefacts.run import Run
from planted import HashingEncoder, Rings, write_encoder

# On a shared machine the time of one example says nothing.
hypothesis.settings.register_profile("patient", deadline=None)
hypothesis.settings.load_profile("patient")


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
