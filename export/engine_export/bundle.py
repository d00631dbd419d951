"""A run as a bundle: the encoder with its item head, the refiner, the tables, the parity report.

Knows the order of the steps, each of which is done elsewhere. The encoder's graphs are those of the encoder artefact,
not made anew: a refiner serves on the very vectors that it was trained on. With fp16 the refiner stays in float32: it
is small beside an encoder, and its profiles then are those of the other variants.
"""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import onnx
import pyarrow.parquet as pq

from engine_export.encoder import (
    ExportSettings,
    Report,
    chosen_texts,
    compare_encoders,
    distinct_texts,
    item_texts,
    required_features,
    silent,
)
from engine_export.encoder_graph import ITEM, attach_head
from engine_export.graph import Floats
from engine_export.histories import RefinerData, compare_refiners, history_feeds, refiner_data
from engine_export.judging import judge
from engine_export.layers import LayerError
from engine_export.parity import ParityReport, read_report
from engine_export.recipe import Quantized
from engine_export.refiner_graph import query_head, refiner_graph
from engine_export.refiner_int8 import int8_refiner
from engine_models.ablation import parts_of
from engine_models.corpus import evenly
from engine_models.head import ItemHead
from engine_models.model import ProfileModel, load_model
from engine_runtime.artefacts import bundle as layout
from engine_runtime.artefacts.bundle import Bundle, BundleInfo, refiner_file
from engine_runtime.artefacts.dataset import Dataset
from engine_runtime.artefacts.encoder import EncoderArtefact, EncoderInfo, graph_file
from engine_runtime.artefacts.labels import LABELS_FILE
from engine_runtime.artefacts.manifest import check_parent, digests
from engine_runtime.artefacts.run import Run
from engine_runtime.artefacts.writing import drafting
from engine_runtime.data.schema import TRAINED
from engine_runtime.errors import ArtefactError, UsageError
from engine_runtime.inference.encoder import TextEncoder

CHECKED_ITEMS = 256


def export_run(
    run: Run,
    encoder: EncoderArtefact,
    dataset: Dataset,
    out: Path,
    settings: ExportSettings | None = None,
    *,
    report: Report = silent,
) -> Bundle:
    """Export, quantize, verify and write a run.

    Parameters
    ----------
    run
        The trained run.
    encoder, dataset
        What it was trained on; other ones are refused.
    out
        Where the bundle goes.
    settings
        What is made, and what it is held against.
    report
        Told what happens, a line at a time.

    Raises
    ------
    ArtefactError
        Encoder or data set are not those of the run, or the result is too far from float32. Nothing is written then.
    UsageError
        The encoder lacks a variant that is asked for, or the run was trained without its decoder.
    """
    settings = settings or ExportSettings()
    check_parent(run.root, run.manifest, "encoder", encoder.manifest.digest)
    check_parent(run.root, run.manifest, "dataset", dataset.manifest.digest)
    _check_variants(encoder, settings.ordered)
    _check_whole(run)
    model, texts = load_model(run), item_texts(dataset)
    info = dataclasses.replace(encoder.info, precisions=settings.ordered, requires=required_features(settings.ordered))
    with drafting(out, layout.KIND, replace=settings.replace) as draft:
        report("attaching the item head to the encoder")
        encoders = _with_head(encoder, model.head, settings.ordered)
        vectors = np.load(run.vectors, allow_pickle=False)
        _check_head(encoders, run, encoder, texts, vectors, model.head.residual.detach().numpy())
        report("exporting the refiner")
        refiners, made, data = _refiners(run, model, dataset, vectors, settings)
        parity = _parity(encoders, refiners, made, encoder, info, texts, data, run, settings, report)
        for precision in settings.ordered:
            onnx.save(encoders[precision], str(draft.path / graph_file(precision)))
            onnx.save(refiners[precision], str(draft.path / refiner_file(precision)))
        query_head(model.refiner).save(draft.path / layout.QUERY_FILE)
        np.save(draft.path / layout.RESIDUALS_FILE, model.head.residual.detach().numpy())
        np.save(draft.path / layout.CENTRES_FILE, model.concepts.numpy())
        copies = {
            layout.TOKENIZER_FILE: encoder.tokenizer,
            layout.CONCEPTS_FILE: run.concepts,
            layout.ITEMS_FILE: run.items,
            layout.SUCCESSORS_FILE: run.successors,
        }
        if run.info.labels:
            copies[LABELS_FILE] = run.labels
        for name, path in copies.items():
            shutil.copyfile(path, draft.path / name)
        (draft.path / layout.PARITY_FILE).write_bytes(parity.encode())
        parents = {"run": run.manifest, "encoder": encoder.manifest, "dataset": dataset.manifest}
        draft.seal(_info(run, info, made), digests(parents))
    return Bundle.open(out)


def _check_variants(encoder: EncoderArtefact, precisions: tuple[str, ...]) -> None:
    if missing := [precision for precision in precisions if precision not in encoder.info.precisions]:
        raise UsageError(
            f"the encoder in {encoder.root} has no variant {', '.join(missing)}; it has "
            f"{', '.join(encoder.info.precisions)}. Export it again with --precision {','.join(precisions)}."
        )


def _check_whole(run: Run) -> None:
    if "decoder" in parts_of(str(run.info.settings.get("without", ""))):
        raise UsageError(
            f"the run in {run.root} was trained without its decoder: its profiles mean nothing, so it is not exported. "
            "Judge it with `engine evaluate`, or train it whole."
        )


def _with_head(encoder: EncoderArtefact, head: ItemHead, precisions: tuple[str, ...]) -> dict[str, onnx.ModelProto]:
    """Encoder graphs with the item head: those to be written, and float32 where there is one to compare with."""
    weights = [
        tensor.detach().numpy() for tensor in (head.mean, head.whitening, head.project.weight, head.project.bias)
    ]
    wanted = [name for name in encoder.info.precisions if name in {*precisions, "fp32"}]
    return {name: attach_head(onnx.load(str(encoder.graph(name))), *weights) for name in wanted}


def _check_head(
    graphs: Mapping[str, onnx.ModelProto],
    run: Run,
    encoder: EncoderArtefact,
    texts: list[str],
    vectors: Floats,
    residuals: Floats,
) -> None:
    """See that the graph's item vectors, with residuals, are those that the run was trained on."""
    if run.info.precision not in graphs:
        return
    trained = np.flatnonzero(pq.read_table(run.items)[TRAINED].to_numpy())
    rows = trained[evenly(len(trained), CHECKED_ITEMS)]
    graph = graphs[run.info.precision].SerializeToString()
    found = TextEncoder(graph, encoder.tokenizer, encoder.info).encode([texts[row] for row in rows], ITEM)
    found[:, : residuals.shape[1]] += residuals[rows]
    worst = float(np.abs(found - vectors[rows]).max())
    if not worst <= 1e-3 * max(1.0, float(np.abs(vectors).max())):
        raise ArtefactError(
            f"item vectors of the exported graph differ by {worst:.1e} from those in {run.vectors}. Was the run "
            "trained on a machine without the CPU features of its encoder variant? Train it again here."
        )


def _refiners(
    run: Run, model: ProfileModel, dataset: Dataset, vectors: Floats, settings: ExportSettings
) -> tuple[dict[str, onnx.ModelProto], Quantized | None, RefinerData]:
    data = refiner_data(dataset, run.info, np.ascontiguousarray(vectors[:, : run.info.shape.dim]))
    exact = refiner_graph(model.refiner)
    graphs = {"fp32": exact, "fp16": exact}
    if "int8" not in settings.precisions:
        return graphs, None, data
    feeds = history_feeds(graphs["fp32"], run.info.shape, data)
    made = int8_refiner(exact, feeds, settings.quantize)
    return graphs | {"int8": made.model}, made, data


def _parity(
    encoders: Mapping[str, onnx.ModelProto],
    refiners: Mapping[str, onnx.ModelProto],
    made: Quantized | None,
    encoder: EncoderArtefact,
    info: EncoderInfo,
    texts: list[str],
    data: RefinerData,
    run: Run,
    settings: ExportSettings,
    report: Report,
) -> ParityReport:
    if settings.ordered == ("fp32",):
        return ParityReport(0, 0, settings.limits)
    before = read_report(encoder.parity.read_bytes())
    found = dataclasses.replace(
        ParityReport(before.n_texts, 0, settings.limits),
        text={name: parity for name, parity in before.text.items() if name in settings.ordered},
        judged_on={name: how for name, how in before.judged_on.items() if name in settings.ordered},
    )
    if made is not None:
        users = len(data.answers)
        report(f"comparing the refiner with fp32 on {users:,} histories")
        refined = {"int8": compare_refiners(refiners["fp32"], refiners["int8"], run.info.shape, data)}
        layers: dict[str, tuple[LayerError, ...]] = {**before.layers, "refiner int8": made.layers}
        found = dataclasses.replace(found, n_users=users, refiner=refined, layers=layers)
    if "fp32" in encoders:
        compared = chosen_texts(distinct_texts(texts))[1]
        report(f"comparing item vectors with fp32 on {len(compared):,} texts")
        item = compare_encoders(encoders, compared, encoder.tokenizer, info, ITEM)
        found = dataclasses.replace(found, n_texts=len(compared), item=item)
    return judge(found, settings.allow)


def _info(run: Run, encoder: EncoderInfo, made: Quantized | None) -> BundleInfo:
    return BundleInfo(
        encoder=encoder,
        shape=run.info.shape,
        precisions=encoder.precisions,
        precision=run.info.precision,
        value=run.info.value,
        gap=run.info.gap,
        event_types=run.info.event_types,
        event_weights=run.info.event_weights,
        fusion=run.info.fusion,
        recipe={} if made is None else made.recipe,
        labels=run.info.labels,
    )
