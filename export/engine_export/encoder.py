"""A pretrained encoder as an artefact: exported, quantized on real texts, compared, written.

Knows the order of the steps, each of which is done elsewhere; knows nothing of runs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import onnx

from engine_export.compare import compare_vectors, text_invariance
from engine_export.descent import Descendant
from engine_export.encoder_graph import STATES, TEXT, EncoderGraphs, check_against_source, encoder_graphs
from engine_export.encoder_int8 import int8_encoder
from engine_export.fused import fuse
from engine_export.half import halve
from engine_export.judging import judge
from engine_export.layers import LayerError
from engine_export.parity import Limits, ParityReport, VectorParity
from engine_export.recipe import QuantizeSettings
from engine_export.sources import EncoderSource
from engine_models.corpus import evenly
from engine_runtime.artefacts import encoder as layout
from engine_runtime.artefacts.dataset import Dataset
from engine_runtime.artefacts.encoder import EncoderArtefact, EncoderInfo, graph_file
from engine_runtime.artefacts.writing import drafting
from engine_runtime.data.schema import TEXT as TEXT_COLUMN
from engine_runtime.data.stored import read_catalogue
from engine_runtime.errors import InputError, UsageError
from engine_runtime.inference.encoder import TextEncoder
from engine_runtime.inference.machine import CUDA, INT8_FEATURES
from engine_runtime.inference.tokenizer import Tokenizer

PRECISIONS = ("int8", "fp32", "fp16")
"""Variants that can be made, best for a CPU first; fp16 is for CUDA alone."""

JUDGED_ON = {
    "int8": "the graph as it runs",
    "fp16": "the graph on the CPU: weights and the inputs of norms rounded to float16, the rest of the sums in float32",
}
"""What the figures of a variant in the parity report were measured on."""

CALIBRATION_TEXTS = 256
PARITY_TEXTS = 2000

Report = Callable[[str], None]


def silent(message: str) -> None:
    """Report nothing."""


@dataclass(frozen=True)
class ExportSettings:
    """What may be chosen about an export.

    Attributes
    ----------
    precisions
        Variants to write, among `PRECISIONS`.
    quantize
        What the search for an int8 form tries.
    limits
        The bars of the parity report.
    allow
        Measures that may be past their bar, on the record.
    replace
        Whether an artefact of the same kind may be replaced.
    """

    precisions: tuple[str, ...] = ("int8", "fp32")
    quantize: QuantizeSettings = field(default_factory=QuantizeSettings)
    limits: Limits = field(default_factory=Limits)
    allow: tuple[str, ...] = ()
    replace: bool = False

    def __post_init__(self) -> None:
        unknown = [precision for precision in self.precisions if precision not in PRECISIONS]
        if unknown or not self.precisions:
            raise UsageError(
                f"unknown variant '{', '.join(unknown)}'. Choose from {', '.join(PRECISIONS)}, at least one."
            )

    @property
    def ordered(self) -> tuple[str, ...]:
        """The variants, best for a CPU first."""
        return tuple(precision for precision in PRECISIONS if precision in self.precisions)


def export_encoder(
    source: EncoderSource,
    calibration: Dataset | Sequence[str],
    out: Path,
    settings: ExportSettings | None = None,
    *,
    made: Descendant | None = None,
    report: Report = silent,
) -> EncoderArtefact:
    """Export, quantize, verify and write a text encoder.

    Parameters
    ----------
    source
        The pretrained encoder.
    calibration
        Real texts like those to be served: a data set, whose item texts are taken, or the texts.
    out
        Where the artefact goes.
    settings
        What is made, and what it is held against.
    made
        Where the encoder was made from another one: what it is held against beside the limits of every encoder.
    report
        Told what happens, a line at a time.

    Raises
    ------
    InputError
        There is no text to calibrate on, or the encoder cannot be exported.
    ArtefactError
        The result is too far from PyTorch or, quantized, from float32. Nothing is written then.
    """
    settings = settings or ExportSettings()
    parents = {"dataset": calibration.manifest.digest} if isinstance(calibration, Dataset) else {}
    texts = item_texts(calibration) if isinstance(calibration, Dataset) else calibration
    with drafting(out, layout.KIND, replace=settings.replace) as draft:
        tokenizer = draft.path / layout.TOKENIZER_FILE
        source.write_tokenizer(tokenizer)
        report(f"exporting {source.name} to ONNX")
        exact = encoder_graphs(source)
        check_against_source(exact.cpu, source)
        graphs, parity = {"fp32": exact.cpu}, ParityReport(0, 0, settings.limits)
        recipe = {"batches": "padded, with a mask" if exact.dense is None else "texts of one length"}
        if "fp16" in settings.precisions:
            report("fusing for CUDA, in half precision")
            graphs["fp16"], counts = half_graph(exact.padded, source)
            recipe["fp16"] = counts
        info = _info(source, exact, settings.ordered, recipe)
        if settings.precisions != ("fp32",):
            parity, int8 = _compared(graphs, distinct_texts(texts), tokenizer, info, settings, report)
            info = replace(info, recipe=recipe | int8)
        if made:
            report("comparing with the encoder that it was made from")
            parity = made.judged(
                parity, {precision: graphs[precision] for precision in settings.ordered}, tokenizer, info
            )
            info = made.describe(info)
        parity = judge(parity, settings.allow)
        for precision in settings.ordered:
            onnx.save(graphs[precision], str(draft.path / graph_file(precision)))
        (draft.path / layout.PARITY_FILE).write_bytes(parity.encode())
        draft.seal(info, parents)
    return EncoderArtefact.open(out)


def item_texts(dataset: Dataset) -> list[str]:
    """Texts of the catalogue, in its order."""
    return list(read_catalogue(dataset.items)[TEXT_COLUMN].to_pylist())


def distinct_texts(texts: Sequence[str]) -> list[str]:
    """Texts that are not blank, each once; raises `InputError` where there is none."""
    distinct = [text for text in dict.fromkeys(texts) if text.strip()]
    if not distinct:
        raise InputError("there is no text to calibrate on. Give a data set whose items have texts.")
    return distinct


def compare_encoders(
    graphs: Mapping[str, onnx.ModelProto],
    texts: Sequence[str],
    tokenizer: Path,
    info: EncoderInfo,
    output: str = TEXT,
) -> dict[str, VectorParity]:
    """Parity of every variant in `graphs` but ``fp32``, which it has to hold, on distinct `texts`."""
    encoders = {name: TextEncoder(graph.SerializeToString(), tokenizer, info) for name, graph in graphs.items()}
    vectors = {name: encoder.encode(texts, output) for name, encoder in encoders.items()}
    return {
        name: compare_vectors(vectors["fp32"], vectors[name], text_invariance(encoder, texts, output))
        for name, encoder in encoders.items()
        if name != "fp32"
    }


def chosen_texts(texts: Sequence[str]) -> tuple[list[str], list[str]]:
    """Texts to calibrate on and texts to compare on, disjoint where there are enough of them."""
    picked = set(evenly(len(texts), CALIBRATION_TEXTS).tolist())
    others = [row for row in range(len(texts)) if row not in picked]
    compared = others if len(others) >= CALIBRATION_TEXTS else range(len(texts))
    rows = np.asarray(compared)[evenly(len(compared), PARITY_TEXTS)]
    return [texts[row] for row in sorted(picked)], [texts[row] for row in rows]


def half_graph(exact: onnx.ModelProto, source: EncoderSource) -> tuple[onnx.ModelProto, str]:
    """The form of an encoder that CUDA runs, and what is fused in it, for people.

    The fused graph is held against PyTorch in float32 before it is halved.

    Raises
    ------
    InputError
        The encoder is of a kind that cannot be fused.
    ArtefactError
        The fused graph differs from PyTorch, or a weight is too great for float16.
    """
    fused = fuse(exact, source.max_tokens)
    check_against_source(fused.model, source)
    counts = ", ".join(f"{number} {name}" for name, number in fused.counts.items())
    return halve(fused.model, STATES), f"fused: {counts}"


def _compared(
    graphs: dict[str, onnx.ModelProto],
    texts: Sequence[str],
    tokenizer: Path,
    info: EncoderInfo,
    settings: ExportSettings,
    report: Report,
) -> tuple[ParityReport, dict[str, str]]:
    """Add int8 to `graphs` where it is asked for, compare all with float32; the report, and the recipe of int8."""
    calibration, compared = chosen_texts(texts)
    layers: dict[str, tuple[LayerError, ...]] = {}
    recipe: dict[str, str] = {}
    if "int8" in settings.precisions:
        report(f"quantizing on {len(calibration):,} texts")
        tokenize = Tokenizer(tokenizer, info.max_tokens)
        made = int8_encoder(graphs["fp32"], tokenize, info.pad_token, calibration, compared, settings.quantize)
        graphs["int8"], layers["encoder int8"], recipe = made.model, made.layers, made.recipe
    report(f"comparing with fp32 on {len(compared):,} texts")
    measured = compare_encoders(graphs, compared, tokenizer, info)
    judged_on = {name: JUDGED_ON[name] for name in measured}
    return ParityReport(len(compared), 0, settings.limits, text=measured, layers=layers, judged_on=judged_on), recipe


def _info(
    source: EncoderSource, graphs: EncoderGraphs, precisions: tuple[str, ...], recipe: dict[str, str]
) -> EncoderInfo:
    return EncoderInfo(
        source=source.name,
        weights=source.weights,
        dim=graphs.cpu.graph.output[0].type.tensor_type.shape.dim[-1].dim_value,
        max_tokens=source.max_tokens,
        pad_token=source.pad_token,
        precisions=precisions,
        requires=required_features(precisions),
        pooling=source.pooling,
        recipe=recipe,
    )


def required_features(precisions: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """What each variant needs one of: CPU features, without which u8 by s8 products overflow, or CUDA."""
    needed = {"int8": INT8_FEATURES, "fp16": (CUDA,)}
    return {precision: needed.get(precision, ()) for precision in precisions}
