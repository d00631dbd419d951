"""`engine bench scale` as a user calls it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from engine_export.bundle import export_run
from engine_export.encoder import ExportSettings
from engine_models.settings import TrainSettings
from engine_models.training import Where, train
from engine_runtime.artefacts.bundle import Bundle
from engine_runtime.artefacts.encoder import EncoderArtefact
from engine_runtime.cli import run
from engine_runtime.data.config_file import load_config
from engine_runtime.data.generate import generate
from engine_runtime.data.ingest import ingest
from engine_runtime.data.world import World
from tiny_models import FAST


@pytest.fixture(scope="module")
def shop_bundle(tmp_path_factory: pytest.TempPathFactory, encoder: EncoderArtefact) -> Bundle:
    """A bundle of a made-up shop."""
    folder = tmp_path_factory.mktemp("made-up")
    config = generate(World(40, 30, 400), folder / "raw")
    raw = config.parent
    dataset = ingest(load_config(config), [raw / "events"], [raw / "items.parquet"], [], folder / "dataset")
    settings = TrainSettings(dim=16, white_dim=16, n_concepts=8, max_events=4, epochs=1)
    trained = train(dataset, encoder, Where(folder / "run"), settings)
    return export_run(trained, encoder, dataset, folder / "bundle", ExportSettings(quantize=FAST, allow=("ndcg",)))


def test_from_raw_events_to_judged_rows(
    shop_bundle: Bundle, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One document has every step; the second time nothing is run again, the tables are shown, and all is removed."""
    options = [f"--bundle={shop_bundle.root}", "--users=40", "--items=30", "--events-per-user=10", "--workers=1"]
    command = ["bench", "scale", *options, f"--workdir={tmp_path / 'work'}", f"--out={tmp_path / 'scale.json'}"]
    assert run([*command, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    (scale,) = found["scales"]
    names = ["generate", "keep back", "ingest", "index", "serve-batch"]
    assert [step["name"] for step in scale["steps"]] == names
    assert all(step["took"]["cpu"] > 0 and step["written"] > 0 for step in scale["steps"])
    assert scale["users"] == 40
    assert scale["events"] + scale["quality"]["users"] == 400
    assert run([*command, "--clean"]) == 0
    captured = capsys.readouterr()
    assert captured.err.count("is done already") == len(names)
    assert "time per user" in captured.out
    assert json.loads((tmp_path / "scale.json").read_bytes()) == found
    assert not (tmp_path / "work").exists()
