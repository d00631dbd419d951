"""`engine export` at the command line."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import onnx
import pytest

from engine_export import encoder_int8
from engine_export.calibrate import Feed
from engine_export.recipe import Quantized, quantize
from engine_export.sources import EncoderSource
from engine_runtime.artefacts.dataset import Dataset
from engine_runtime.artefacts.encoder import EncoderArtefact
from engine_runtime.artefacts.run import Run
from engine_runtime.cli import run
from engine_runtime.errors import ArtefactError


def engine(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> tuple[int, str, str]:
    """Exit code, stdout and stderr of a call."""
    code = run([str(argument) for argument in arguments])
    shown = capsys.readouterr()
    return code, shown.out, shown.err


def test_encoder_alone(
    capsys: pytest.CaptureFixture[str], source: EncoderSource, dataset: Dataset, tmp_path: Path
) -> None:
    """An encoder's folder and a data set give an encoder, and people see the parity report."""
    options = ("--encoder", source.folder, "--calibrate", dataset.root, "--out", tmp_path / "out")
    code, out, err = engine(capsys, "export", *options)
    assert code == 0
    assert "text int8" in out
    assert "wrote the encoder" in err
    assert EncoderArtefact.open(tmp_path / "out").info.source == "tiny-bert"


def test_calibration_on_noise_is_refused(
    capsys: pytest.CaptureFixture[str],
    source: EncoderSource,
    dataset: Dataset,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """An export calibrated on noise ends with the code of a bad artefact, names layers, and leaves nothing behind."""

    def on_noise(model: onnx.ModelProto, feeds: Sequence[Feed], *rest: Any, **options: Any) -> Quantized:
        noise = [{name: value[:1, :1] for name, value in feed.items()} for feed in feeds[:1]]
        return quantize(model, noise, *rest, **options)

    monkeypatch.setattr(encoder_int8, "quantize", on_noise)
    options = ("--encoder", source.folder, "--calibrate", dataset.root, "--out", tmp_path / "out")
    code, _, err = engine(capsys, "export", *options)
    assert code == ArtefactError.exit_code
    assert "Worst layers: /encoder/layer" in err
    assert list(tmp_path.iterdir()) == []


def test_half_precision_is_asked_for_by_name(
    capsys: pytest.CaptureFixture[str], source: EncoderSource, dataset: Dataset, tmp_path: Path
) -> None:
    """A variant for CUDA is written where it is asked for, needs texts to be judged on, and shows its parity."""
    options = ("--encoder", source.folder, "--precision", "fp16,fp32", "--out", tmp_path / "out")
    code, _, err = engine(capsys, "export", *options)
    assert code == 2
    assert "fp16 is judged on them: add --calibrate DATASET" in err
    code, out, _ = engine(capsys, "export", *options, "--calibrate", dataset.root)
    assert code == 0
    assert "text fp16" in out


def test_run_finds_its_parents(capsys: pytest.CaptureFixture[str], trained: Run, tmp_path: Path) -> None:
    """A run alone is enough where its encoder and data set are where they were; machines get one document."""
    code, out, _ = engine(capsys, "export", trained.root, "--out", tmp_path / "out", "--json")
    found = json.loads(out)
    assert code == 0
    assert found["kind"] == "bundle"
    assert set(found["parity"]["refiner"]) == {"int8"}


def test_moved_parents_are_asked_for(
    capsys: pytest.CaptureFixture[str], trained: Run, encoder: EncoderArtefact, dataset: Dataset, tmp_path: Path
) -> None:
    """Where a parent is gone from its place, the message names the option, and with it the export works."""
    copy = Path(shutil.copytree(trained.root, tmp_path / "run"))
    document = json.loads((copy / "manifest.json").read_text())
    document["info"]["encoder_path"] = str(tmp_path / "gone")
    document["seal"] = ""
    (copy / "manifest.json").write_text(json.dumps(document))
    arguments = ("export", copy, "--out", tmp_path / "out", "--precision", "fp32")
    code, _, err = engine(capsys, *arguments)
    assert code == 2
    assert "--encoder" in err
    assert engine(capsys, *arguments, "--encoder", encoder.root, "--dataset", dataset.root)[0] == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "--calibrate DATASET"),
        (("--dataset", "{dataset}"), "--dataset goes with RUN"),
        (("{run}", "--calibrate", "{dataset}"), "--calibrate goes without RUN"),
        (("--precision", "int4"), "int4"),
        (("--encoder", "{dataset}/events", "--precision", "fp32"), "config.json is missing"),
        (("--encoder", "{dataset}", "--precision", "fp32"), "config.json names no model_type"),
    ],
)
def test_wrong_calls_say_what_to_do(
    capsys: pytest.CaptureFixture[str],
    trained: Run,
    dataset: Dataset,
    tmp_path: Path,
    arguments: tuple[str, ...],
    said: str,
) -> None:
    """A call that cannot be carried out says why and leaves nothing."""
    filled = [argument.format(run=trained.root, dataset=dataset.root) for argument in arguments]
    code, _, err = engine(capsys, "export", *filled, "--out", tmp_path / "out")
    assert code in {2, 4}
    assert said in err
    assert list(tmp_path.iterdir()) == []
