"""A run as a bundle."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from engine_export import bundle as exporting
from engine_export.bundle import export_run
from engine_export.encoder import ExportSettings, export_encoder, item_texts
from engine_export.histories import history_feeds
from engine_export.parity import read_report
from engine_export.refiner_graph import random_feed
from engine_export.sources import EncoderSource
from engine_models.model import load_model
from engine_models.settings import TrainSettings
from engine_models.training import Where, train
from engine_runtime.artefacts.bundle import Bundle
from engine_runtime.artefacts.dataset import Dataset
from engine_runtime.artefacts.encoder import EncoderArtefact
from engine_runtime.artefacts.run import Run
from engine_runtime.errors import ArtefactError, UsageError
from engine_runtime.inference.encoder import TextEncoder
from engine_runtime.inference.session import open_session
from engine_runtime.profile.contributions import QueryHead
from tiny_models import FAST, texts_of

SETTINGS = ExportSettings(quantize=FAST)


@pytest.fixture(scope="module")
def bundle(scratch: Path, trained: Run, encoder: EncoderArtefact, dataset: Dataset) -> Bundle:
    return export_run(trained, encoder, dataset, scratch / "bundle", SETTINGS)


def test_bundle_names_its_parents(bundle: Bundle, trained: Run, encoder: EncoderArtefact, dataset: Dataset) -> None:
    """A bundle knows the digests of run, encoder and data set, and takes over what the run knows."""
    manifests = {"run": trained.manifest, "encoder": encoder.manifest, "dataset": dataset.manifest}
    assert bundle.manifest.parents == {kind: manifest.digest for kind, manifest in manifests.items()}
    assert (bundle.info.shape, bundle.info.fusion) == (trained.info.shape, trained.info.fusion)
    assert (bundle.info.precisions, bundle.info.precision) == (("int8", "fp32"), trained.info.precision)


def test_item_vectors_are_those_of_the_run(bundle: Bundle, trained: Run, dataset: Dataset) -> None:
    """The graph's `item` plus the residual is the vector that the refiner was trained on."""
    graph = bundle.encoder(trained.info.precision)
    found = TextEncoder(graph, bundle.tokenizer, bundle.info.encoder).encode(item_texts(dataset), "item")
    residuals, known = np.load(bundle.residuals), pq.read_table(bundle.items)["trained"].to_numpy()
    found[:, : residuals.shape[1]] += residuals
    np.testing.assert_allclose(found[known], np.load(trained.vectors)[known], atol=1e-4)
    assert pq.read_table(bundle.items).num_rows == len(found)


def test_tables_are_copied(bundle: Bundle, trained: Run) -> None:
    """Concepts and successors are those of the run, byte for byte."""
    assert bundle.concepts.read_bytes() == trained.concepts.read_bytes()
    assert bundle.successors.read_bytes() == trained.successors.read_bytes()
    assert np.array_equal(np.load(bundle.centres), load_model(trained).concepts.numpy())
    assert bundle.info.labels == ()
    assert not bundle.labels.exists()


def test_report_covers_text_items_and_refiner(bundle: Bundle) -> None:
    """The report holds text, item and refiner, with NDCG and the layers of both graphs."""
    report = read_report(bundle.parity.read_bytes())
    refined = report.refiner["int8"]
    assert report.n_users == 90
    assert refined.invariance < 1e-5
    assert refined.ndcg is not None
    assert refined.cosine_p1 > 0.98
    assert report.item["int8"].cosine_mean > 0.98
    assert {name: len(layers) for name, layers in report.layers.items()} == {"encoder int8": 12, "refiner int8": 12}


def test_one_variant_alone(trained: Run, encoder: EncoderArtefact, dataset: Dataset, tmp_path: Path) -> None:
    """A bundle of float32 alone has one graph of each kind and nothing to compare."""
    made = export_run(trained, encoder, dataset, tmp_path / "out", ExportSettings(("fp32",)))
    assert sorted(path.name for path in made.root.glob("*.onnx")) == ["encoder.fp32.onnx", "refiner.fp32.onnx"]
    assert read_report(made.parity.read_bytes()).refiner == {}


def test_half_precision_carries_head_and_refiner(
    scratch: Path, complete: EncoderArtefact, dataset: Dataset, tmp_path: Path
) -> None:
    """In half precision the head and the refiner stay float32; items are compared, the refiner has nothing to be."""
    settings = TrainSettings(dim=16, white_dim=16, n_concepts=8, max_events=8, epochs=1)
    trained = train(dataset, complete, Where(scratch / "complete-run"), settings)
    made = export_run(trained, complete, dataset, tmp_path / "out", ExportSettings(("fp16", "fp32")))
    report = read_report(made.parity.read_bytes())
    assert made.info.precisions == ("fp32", "fp16")
    assert made.info.encoder.requires["fp16"] == ("cuda",)
    assert made.refiner("fp16").read_bytes() == made.refiner("fp32").read_bytes()
    assert (set(report.text), set(report.item), report.refiner) == ({"fp16"}, {"fp16"}, {})
    assert report.item["fp16"].cosine_p1 > 0.999
    assert report.layers == {}
    assert trained.info.precision != "fp16"


def test_other_encoder_is_refused(trained: Run, dataset: Dataset, source: EncoderSource, tmp_path: Path) -> None:
    """An encoder that the run was not trained on is refused with both digests, and nothing is written."""
    other = export_encoder(source, texts_of(40), tmp_path / "other", SETTINGS)
    with pytest.raises(
        ArtefactError, match=f"{trained.manifest.parents['encoder'][:12]}.*{other.manifest.digest[:12]}"
    ):
        export_run(trained, other, dataset, tmp_path / "out", SETTINGS)
    assert [path.name for path in tmp_path.iterdir()] == ["other"]


def test_missing_variant_is_refused(trained: Run, encoder: EncoderArtefact, dataset: Dataset, tmp_path: Path) -> None:
    """A variant that the encoder lacks is refused, with the option that would make it."""
    lacking = replace(encoder, info=replace(encoder.info, precisions=("int8",)))
    with pytest.raises(UsageError, match="--precision int8,fp32"):
        export_run(trained, lacking, dataset, tmp_path / "out", SETTINGS)


def test_head_that_does_not_fit_is_refused(
    trained: Run, encoder: EncoderArtefact, dataset: Dataset, tmp_path: Path
) -> None:
    """Item vectors that are not those of the run are refused, and nothing is left behind."""
    copy = Path(shutil.copytree(trained.root, tmp_path / "run"))
    np.save(copy / "vectors.npy", np.load(trained.vectors) + 1)
    moved = Run(copy, trained.manifest, trained.info)
    with pytest.raises(ArtefactError, match="item vectors of the exported graph differ"):
        export_run(moved, encoder, dataset, tmp_path / "out", SETTINGS)
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


def test_refiner_past_its_bar_fails(
    trained: Run, encoder: EncoderArtefact, dataset: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A refiner quantized on noise fails the export with the worst of its layers, and leaves nothing behind."""
    monkeypatch.setattr(
        exporting,
        "history_feeds",
        lambda *given: [feed | {"vectors": feed["vectors"] * 1e-3} for feed in history_feeds(*given)[:1]],
    )
    strict = replace(SETTINGS, limits=replace(SETTINGS.limits, refiner_cosine_p1=0.9999))
    with pytest.raises(ArtefactError, match=r"refiner_cosine_p1 of int8 refiner .*Worst layers: "):
        export_run(trained, encoder, dataset, tmp_path / "out", strict)
    assert list(tmp_path.iterdir()) == []


def test_residuals_are_those_of_the_model(bundle: Bundle, trained: Run) -> None:
    """The residual table is the trained one."""
    np.testing.assert_array_equal(np.load(bundle.residuals), load_model(trained).head.residual.detach().numpy())


def test_a_run_without_decoder_is_refused(
    trained: Run, encoder: EncoderArtefact, dataset: Dataset, tmp_path: Path
) -> None:
    """Profiles of a run whose decoder was left out mean nothing: it is not exported."""
    settings = {**trained.info.settings, "without": "text,decoder"}
    lacking = replace(trained, info=replace(trained.info, settings=settings))
    with pytest.raises(UsageError, match="without its decoder"):
        export_run(lacking, encoder, dataset, tmp_path / "bundle", SETTINGS)
    assert not (tmp_path / "bundle").exists()


@pytest.mark.parametrize("precision", ["int8", "fp32"])
def test_queries_can_be_taken_apart(bundle: Bundle, precision: str) -> None:
    """Newest state, profile and the constants of the bundle make the very query, in every variant."""
    shape = bundle.info.shape
    head = QueryHead.load(bundle.query, shape.n_concepts, shape.dim)
    feed = random_feed(shape, 3, 7)
    outputs = open_session(bundle.refiner(precision)).run(["query", "profile", "last_state"], feed)
    query, profile, state = (np.asarray(output) for output in outputs)
    before = state + profile @ head.pull
    centred = before - before.mean(axis=1, keepdims=True)
    made = centred / np.sqrt(before.var(axis=1, keepdims=True) + head.epsilon) * head.weight + head.bias
    np.testing.assert_allclose(made, query, atol=1e-5)
