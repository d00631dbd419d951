"""The encoder artefact: made, verified, written or not."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine_export import encoder as exporting
from engine_export import encoder_int8
from engine_export.calibrate import Feed
from engine_export.encoder import ExportSettings, chosen_texts, export_encoder
from engine_export.encoder_graph import EncoderGraphs, load_encoder, pool, trace
from engine_export.parity import read_report
from engine_export.recipe import Quantized, quantize
from engine_export.sources import EncoderSource, resolve
from engine_runtime.artefacts.dataset import Dataset
from engine_runtime.artefacts.encoder import EncoderArtefact
from engine_runtime.errors import ArtefactError, InputError, UsageError
from engine_runtime.inference.encoder import TextEncoder
from engine_runtime.inference.machine import this_machine
from tiny_models import FAST, make_source, texts_of


def open_encoder(artefact: EncoderArtefact, precision: str) -> TextEncoder:
    """The runtime's encoder on one variant."""
    return TextEncoder(artefact.graph(precision), artefact.tokenizer, artefact.info, threads=2)


def test_artefact_describes_what_was_made(encoder: EncoderArtefact, dataset: Dataset) -> None:
    """The artefact names its variants with int8 first, its parent, its recipe, and what int8 needs."""
    info = encoder.info
    assert (info.source, info.dim, info.pooling, info.max_tokens) == ("tiny-bert", 32, "mean", 130)
    assert info.precisions == ("int8", "fp32")
    assert encoder.manifest.parents == {"dataset": dataset.manifest.digest}
    assert "avx512_vnni" in info.requires["int8"]
    assert info.requires["fp32"] == ()
    assert info.recipe["layers"] == "12"


def test_report_is_that_of_the_files(encoder: EncoderArtefact) -> None:
    """The report's cosine is the one that the written graphs give."""
    report = read_report(encoder.parity.read_bytes())
    texts = texts_of(120)
    left, right = (open_encoder(encoder, precision).encode(texts) for precision in ("fp32", "int8"))
    assert (left * right).sum(axis=1).mean() == pytest.approx(report.text["int8"].cosine_mean, abs=1e-4)
    assert report.text["int8"].invariance < 1e-5
    assert len(report.layers["encoder int8"]) == 12


def test_float32_alone_needs_no_texts(source: EncoderSource, tmp_path: Path) -> None:
    """Without a quantized variant nothing is calibrated, and the report is empty."""
    made = export_encoder(source, (), tmp_path / "out", ExportSettings(("fp32",)))
    assert made.info.precisions == ("fp32",)
    assert read_report(made.parity.read_bytes()).text == {}
    assert not made.graph("int8").exists()


def test_half_precision_is_written_and_judged(complete: EncoderArtefact) -> None:
    """Beside the others lies a variant for CUDA, close to float32, with its fused nodes and what it was judged on."""
    report = read_report(complete.parity.read_bytes())
    assert complete.info.precisions == ("int8", "fp32", "fp16")
    assert complete.info.requires["fp16"] == ("cuda",)
    assert complete.info.recipe["fp16"] == "fused: 2 Attention, 4 SkipLayerNormalization, 2 BiasGelu"
    assert complete.info.recipe["layers"] == "12"
    assert set(report.text) == set(report.judged_on) == {"int8", "fp16"}
    assert "on the CPU" in report.judged_on["fp16"]
    assert report.text["fp16"].cosine_min > 0.9999
    assert complete.graph("fp16").stat().st_size < 0.7 * complete.graph("fp32").stat().st_size


@pytest.mark.skipif("cuda" not in this_machine().providers, reason="no CUDA device is found on this machine")
def test_half_precision_on_cuda_is_close_to_float32_on_the_cpu(complete: EncoderArtefact) -> None:
    """Where there is a device, the variant made for it gives nearly the vectors of float32, in input order."""
    texts = texts_of(300)
    expected = open_encoder(complete, "fp32").encode(texts)
    found = TextEncoder(complete.graph("fp16"), complete.tokenizer, complete.info, provider="cuda").encode(texts)
    assert (expected * found).sum(axis=1).min() > 0.999


def test_half_precision_alone(source: EncoderSource, tmp_path: Path) -> None:
    """Without int8 nothing is quantized; float32 is compared with and not written."""
    made = export_encoder(source, texts_of(40), tmp_path / "out", ExportSettings(("fp16",)))
    assert made.info.precisions == ("fp16",)
    assert set(made.info.recipe) == {"batches", "fp16"}
    assert set(read_report(made.parity.read_bytes()).text) == {"fp16"}
    assert not made.graph("fp32").exists()


def test_encoder_that_cannot_be_fused_is_refused(
    source: EncoderSource, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without what can be fused, half precision is refused and nothing is left behind; float32 is offered."""
    monkeypatch.setattr(exporting, "encoder_graphs", unmerged_graphs)
    with pytest.raises(InputError, match=r"not three parts of one linear layer.*Export without fp16"):
        export_encoder(source, texts_of(40), tmp_path / "out", ExportSettings(("fp16", "fp32")))
    assert list(tmp_path.iterdir()) == []


def unmerged_graphs(source: EncoderSource) -> EncoderGraphs:
    """An encoder whose queries, keys and values are layers of their own."""
    return EncoderGraphs(pool(trace(load_encoder(source)), "mean", 32, padded=True), None)


def test_no_text_to_calibrate_on(source: EncoderSource, tmp_path: Path) -> None:
    """Blank texts are none, and nothing is left behind."""
    with pytest.raises(InputError, match="no text"):
        export_encoder(source, ["", "  "], tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_few_texts_are_enough(source: EncoderSource, tmp_path: Path) -> None:
    """Three texts calibrate and compare; neighbours are then the two others."""
    made = export_encoder(source, texts_of(3), tmp_path / "out", ExportSettings(quantize=FAST))
    assert read_report(made.parity.read_bytes()).n_texts == 3


def test_unknown_variant_is_refused() -> None:
    """A variant that cannot be made is refused by name."""
    with pytest.raises(UsageError, match="int4"):
        ExportSettings(("int4",))


@pytest.mark.parametrize("kind", ["xlm-roberta", "mpnet"])
def test_other_architectures_by_the_same_recipe(kind: str, tmp_path: Path) -> None:
    """Other tokenizers, position offsets and attention biases: all layers are integer, close and invariant."""
    made = export_encoder(
        make_source(tmp_path / kind, kind), texts_of(200), tmp_path / "out", ExportSettings(quantize=FAST)
    )
    report = read_report(made.parity.read_bytes())
    assert len(report.layers["encoder int8"]) == 12
    assert report.text["int8"].cosine_p1 > 0.99
    assert report.text["int8"].invariance <= 1e-5
    other = ["Grüße aus dem Süden", "日本語のテキスト", "Ember hand soap with rose oil"]
    left, right = (open_encoder(made, precision).encode(other) for precision in ("fp32", "int8"))
    assert (left * right).sum(axis=1).min() > 0.98


def test_bad_calibration_fails_and_leaves_nothing(
    source: EncoderSource, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Calibrated on noise instead of texts, the export fails with measure and layers, and leaves nothing behind."""

    def on_noise(model: Any, feeds: list[Feed], *rest: Any, **options: Any) -> Quantized:
        noise = [{name: value[:1, :1] for name, value in feed.items()} for feed in feeds[:1]]
        return quantize(model, noise, *rest, **options)

    monkeypatch.setattr(encoder_int8, "quantize", on_noise)
    with pytest.raises(ArtefactError, match=r"layer_error of encoder int8.*Worst layers: /encoder/layer.*\d\d\.\d%"):
        export_encoder(source, texts_of(300), tmp_path / "out", ExportSettings(quantize=FAST))
    assert list(tmp_path.iterdir()) == []


def test_allowed_measures_are_on_the_record(source: EncoderSource, tmp_path: Path) -> None:
    """An allowed failure is written, with the failure in the report."""
    strict = replace(ExportSettings().limits, overlap=1.1)
    settings = ExportSettings(quantize=FAST, limits=strict, allow=("overlap",))
    made = export_encoder(source, texts_of(100), tmp_path / "out", settings)
    (failure,) = read_report(made.parity.read_bytes()).failures
    assert (failure.measure, failure.bar) == ("overlap", 1.1)


def test_texts_compared_are_not_those_calibrated_on() -> None:
    """With many texts, calibration and comparison share none; with few, they share all."""
    calibration, compared = chosen_texts([str(number) for number in range(1000)])
    assert (len(calibration), len(compared)) == (256, 744)
    assert not set(calibration) & set(compared)
    assert chosen_texts(["a", "b"]) == (["a", "b"], ["a", "b"])


@pytest.fixture(scope="module")
def minilm(tmp_path_factory: pytest.TempPathFactory) -> EncoderArtefact:
    settings = ExportSettings(quantize=replace(ExportSettings().quantize, alphas=(0.8,)))
    out = tmp_path_factory.mktemp("minilm") / "encoder"
    return export_encoder(resolve("all-MiniLM-L6-v2"), texts_of(556), out, settings)


def test_minilm_is_small_and_close(minilm: EncoderArtefact) -> None:
    """The real MiniLM in int8 is at most 25 MB, all 36 layers integer, and close to float32."""
    report = read_report(minilm.parity.read_bytes())
    found = report.text["int8"]
    assert minilm.graph("int8").stat().st_size <= 25_000_000
    assert len(report.layers["encoder int8"]) == 36
    assert report.n_texts == 300
    assert found.cosine_mean > 0.997
    assert found.cosine_p1 > 0.99
    assert found.overlap > 0.85
    assert found.invariance <= 1e-5


@pytest.mark.parametrize("precision", ["fp32", "int8"])
def test_minilm_gives_the_known_vector(minilm: EncoderArtefact, precision: str) -> None:
    """A known sentence has the numbers that the original model gives it."""
    vector = open_encoder(minilm, precision).encode(["This is an example sentence"])[0]
    known = [0.06765691, 0.06349581, 0.0487131, 0.07930496, 0.03744796]
    np.testing.assert_allclose(vector[:5], known, atol=1e-5 if precision == "fp32" else 1e-2)


def test_minilm_holds_on_texts_of_other_kinds(minilm: EncoderArtefact) -> None:
    """Calibrated on products alone, int8 stays close on sentences, code and other languages."""
    others = ["How do I reset my router password?", "A man is eating food.", "Le chat dort.", "SELECT * FROM users;"]
    left, right = (open_encoder(minilm, precision).encode(others) for precision in ("fp32", "int8"))
    assert (left * right).sum(axis=1).min() > 0.985
