"""A tiny encoder, a small shop, and tasks on them: what the tests of the bench need, made once."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from engine_bench.fingerprint import Fingerprint
from engine_bench.peers.contract import Task, write_calls
from engine_bench.workload import Workload, make_workload
from engine_export.bundle import export_run
from engine_export.encoder import ExportSettings, export_encoder
from engine_export.sources import EncoderSource
from engine_models.settings import TrainSettings
from engine_models.training import Where, train
from engine_runtime.artefacts.bundle import Bundle
from engine_runtime.artefacts.dataset import Dataset
from engine_runtime.artefacts.encoder import EncoderArtefact
from engine_runtime.artefacts.run import Run
from fake_peers import MakeTask
from shops import Shop
from tiny_models import FAST, make_source, texts_of


@pytest.fixture(scope="session")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("bench")


@pytest.fixture(scope="session")
def source(scratch: Path) -> EncoderSource:
    made = make_source(scratch / "tiny-bert", "bert")
    tokens = {f"{name}_token": f"[{name.upper()}]" for name in ("pad", "unk", "cls", "sep")}
    settings = {"tokenizer_class": "PreTrainedTokenizerFast", "model_max_length": 128, **tokens}
    (made.folder / "tokenizer_config.json").write_text(json.dumps(settings))
    return made


@pytest.fixture(scope="session")
def encoder(scratch: Path, source: EncoderSource) -> EncoderArtefact:
    return export_encoder(source, texts_of(120), scratch / "encoder", ExportSettings(quantize=FAST))


@pytest.fixture(scope="session")
def dataset(scratch: Path) -> Dataset:
    folder = scratch / "shop"
    folder.mkdir()
    items = "id,title\n" + "".join(f'i{row:02d},"{text}"\n' for row, text in enumerate(texts_of(60)))
    return Shop(folder).ingest("user,item,time\nu,i01,1600000000\n", items)


@pytest.fixture(scope="session")
def workload(dataset: Dataset, encoder: EncoderArtefact) -> Workload:
    return make_workload(dataset, encoder)


@pytest.fixture(scope="session")
def fingerprint(encoder: EncoderArtefact) -> Fingerprint:
    return Fingerprint.take(encoder)


@pytest.fixture(scope="session")
def visited(scratch: Path) -> Dataset:
    """A shop in which thirty users bought five things each."""
    folder = scratch / "visited"
    folder.mkdir()
    items = "id,title\n" + "".join(f'i{row:02d},"{text}"\n' for row, text in enumerate(texts_of(60)))
    events = [
        f"u{user:02d},i{(3 * user + 2 * step) % 60:02d},{1_600_000_000 + 5000 * step}"
        for user in range(30)
        for step in range(5)
    ]
    return Shop(folder).ingest("user,item,time\n" + "\n".join(events) + "\n", items)


@pytest.fixture(scope="session")
def trained(scratch: Path, visited: Dataset, encoder: EncoderArtefact) -> Run:
    settings = TrainSettings(dim=16, white_dim=16, n_concepts=8, max_events=4, epochs=1)
    return train(visited, encoder, Where(scratch / "run"), settings)


@pytest.fixture(scope="session")
def bundle(scratch: Path, trained: Run, encoder: EncoderArtefact, visited: Dataset) -> Bundle:
    return export_run(trained, encoder, visited, scratch / "bundle", ExportSettings(quantize=FAST))


@pytest.fixture
def make_task(tmp_path: Path, encoder: EncoderArtefact, source: EncoderSource) -> MakeTask:
    """A way to make a task for a peer of some name."""

    def make(name: str) -> Task:
        folder = tmp_path / name
        folder.mkdir(exist_ok=True)
        calibration = write_calls(tmp_path / "calibration.json", [texts_of(20)])
        return Task(str(folder), str(encoder.root), str(source.folder), calibration, 1)

    return make


@pytest.fixture(autouse=True)
def children_find_fake_peers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Child processes import what the tests import."""
    here = str(Path(__file__).parents[1])
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, (here, os.environ.get("PYTHONPATH")))))
