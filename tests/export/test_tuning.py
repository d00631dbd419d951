"""Tuned encoders: what they learn from and what they do not, and what the artefact says of them."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers
from safetensors.torch import load_file

from engine_export.descent import Descendant
from engine_export.encoder import ExportSettings, export_encoder
from engine_export.parity import read_report
from engine_export.sources import EncoderSource, describe
from engine_export.tuning import tune
from engine_models.tuning import TuneSettings
from engine_runtime.artefacts.dataset import Dataset
from engine_runtime.artefacts.encoder import EncoderArtefact, TuningInfo
from engine_runtime.cli import run as run_engine
from engine_runtime.errors import InputError
from planted import Rings
from tiny_models import FAST, save_model, write_tokenizer

SETTINGS = TuneSettings(steps=60, batch_tokens=256, learning_rate=1e-2, near=0.0)


@dataclass(frozen=True)
class Elsewhere(Rings):
    """Rings whose users end somewhere else.

    Attributes
    ----------
    moved
        So many of each walk's last items are others.
    """

    moved: int = 1

    def walks(self, seed: int = 0) -> list[list[int]]:
        """As of rings, each walk's end taken from the walk before it."""
        walks = super().walks(seed)
        return [
            [*walk[: -self.moved], *before[-self.moved :]]
            for walk, before in zip(walks, [walks[-1], *walks[:-1]], strict=True)
        ]


@pytest.fixture(scope="module")
def rings(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    return Rings().ingest(tmp_path_factory.mktemp("rings"))


@pytest.fixture(scope="module")
def tuned(source: EncoderSource, rings: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Descendant:
    return tune(source, rings, tmp_path_factory.mktemp("tuned"), SETTINGS)


@pytest.fixture(scope="module")
def exported(tuned: Descendant, rings: Dataset, tmp_path_factory: pytest.TempPathFactory) -> EncoderArtefact:
    out = tmp_path_factory.mktemp("exported") / "out"
    return export_encoder(tuned.source, rings, out, ExportSettings(quantize=FAST, allow=("overlap",)), made=tuned)


def weights_of(source: EncoderSource, dataset: Dataset, scratch: Path) -> dict[str, torch.Tensor]:
    scratch.mkdir()
    return load_file(tune(source, dataset, scratch, replace(SETTINGS, steps=4)).source.folder / "model.safetensors")


def test_planted_successions_are_ranked_better(exported: EncoderArtefact) -> None:
    """Users walk along rings: by the tuned text the next item is found surely more often, in both variants."""
    report = read_report(exported.parity.read_bytes())
    assert set(report.tuned) == {"int8", "fp32"}
    for found in report.tuned.values():
        assert found.n_users == 150
        assert found.ndcg_change_low is not None
        assert found.ndcg_change_low > 0
    assert report.text["int8"].cosine_mean > 0.99


def test_artefact_says_of_what_it_was_tuned(exported: EncoderArtefact, source: EncoderSource, rings: Dataset) -> None:
    """The facts name the encoder that it was, and the parents the data set."""
    assert exported.info.tuning == TuningInfo("tiny-bert", source.weights, 60, 54)
    assert exported.info.student is None
    assert exported.info.source == "tiny-bert tuned on shop"
    assert exported.info.weights != source.weights
    assert exported.manifest.parents == {"dataset": rings.manifest.digest}


def test_folder_is_read_like_any_encoders(tuned: Descendant, source: EncoderSource) -> None:
    """Pooling, length and padding are those of before."""
    made = describe("tuned", tuned.source.folder)
    assert (made.pooling, made.max_tokens, made.pad_token) == (source.pooling, source.max_tokens, source.pad_token)


def test_pretrained_encoder_is_not_tuned(encoder: EncoderArtefact) -> None:
    """An encoder that was exported as it is has neither facts nor figures of a tuned one."""
    assert encoder.info.tuning is None
    assert read_report(encoder.parity.read_bytes()).tuned == {}


def test_test_events_are_not_read(source: EncoderSource, rings: Dataset, tmp_path: Path) -> None:
    """Other test events change neither what is learned nor which state is kept."""
    elsewhere = Elsewhere(moved=1).ingest(tmp_path / "moved")
    found = weights_of(source, elsewhere, tmp_path / "b"), weights_of(source, rings, tmp_path / "a")
    torch.testing.assert_close(*found, rtol=0, atol=0)


def test_validation_events_are_not_learned_from(
    source: EncoderSource, rings: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where all states are judged alike, other validation and test events change nothing."""
    monkeypatch.setattr("engine_export.tuning.answer", lambda questions, vectors: np.zeros(1))
    elsewhere = Elsewhere(moved=2).ingest(tmp_path / "moved")
    found = weights_of(source, elsewhere, tmp_path / "b"), weights_of(source, rings, tmp_path / "a")
    torch.testing.assert_close(*found, rtol=0, atol=0)


def test_training_events_are_learned_from(
    source: EncoderSource, rings: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Other training events give another encoder: the two tests above can fail."""
    monkeypatch.setattr("engine_export.tuning.answer", lambda questions, vectors: np.zeros(1))
    elsewhere = Elsewhere(moved=3).ingest(tmp_path / "moved")
    found = weights_of(source, elsewhere, tmp_path / "b"), weights_of(source, rings, tmp_path / "a")
    assert not all(torch.equal(weight, found[1][name]) for name, weight in found[0].items())


def test_encoder_with_a_decoder_is_refused(dataset: Dataset, tmp_path: Path) -> None:
    """A kind of which no vectors are taken is an error of the input, before anything is trained."""
    folder = tmp_path / "t5"
    folder.mkdir()
    library: Any = transformers
    sizes = {"d_model": 16, "d_kv": 4, "d_ff": 32, "num_layers": 1, "num_heads": 4}
    config = library.AutoConfig.for_model("t5", vocab_size=write_tokenizer(folder), **sizes)
    source = save_model(folder, library.AutoModel.from_config(config))
    with pytest.raises(InputError, match=r"decoder \(t5\).*Choose an encoder alone"):
        tune(source, dataset, tmp_path, SETTINGS)


def test_command_tunes(
    source: EncoderSource, dataset: Dataset, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """`engine export --tune-encoder` trains, exports and compares; `engine inspect` shows what it was."""
    what = ("--encoder", str(source.folder), "--calibrate", str(dataset.root), "--precision", "fp32")
    how = ("--tune-encoder", "--tune-steps", "3", "--seed", "1", "--device", "cpu")
    assert run_engine(["export", *what, *how, "--out", str(tmp_path / "out")]) == 0
    shown = capsys.readouterr()
    assert "tuned to untuned fp32" in shown.out
    assert "tuning: 3 of 3 steps" in shown.err
    assert run_engine(["inspect", str(tmp_path / "out"), "--json"]) == 0
    tuning = json.loads(capsys.readouterr().out)["info"]["tuning"]
    assert (tuning["origin"], tuning["steps"]) == ("tiny-bert", 3)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--tune-encoder",), "--calibrate"),
        (("--tune-encoder", "--distill"), "choose one"),
        (("--tune-steps", "3"), "add --tune-encoder"),
        (("--device", "cpu"), "add --tune-encoder"),
    ],
)
def test_options_that_do_not_go_together(
    options: tuple[str, ...], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Tuning without a data set, of a student, and options of tuning without it are refused."""
    assert run_engine(["export", *options, "--out", str(tmp_path / "out")]) == 2
    assert said in capsys.readouterr().err


def test_no_cuda_device(
    dataset: Dataset, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Asked for CUDA where there is none, the command ends with the code of the machine."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    options = ("--calibrate", str(dataset.root), "--tune-encoder", "--device", "cuda")
    assert run_engine(["export", *options, "--out", str(tmp_path / "out")]) == 3
    assert "no CUDA device" in capsys.readouterr().err
