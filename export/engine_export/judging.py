"""Whether a parity report is good enough.

Knows reports; knows nothing of how they were measured. Past a bar the export fails unless that measure was allowed by
name, which the report then records.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

from engine_export.layers import LayerError
from engine_export.parity import Failure, ParityReport, RefinerParity, StudentParity
from engine_runtime.errors import ArtefactError

WORST_LAYERS = 3
STUDENT_MEASURE = "student_ndcg_change"
TUNED_MEASURE = "tuned_ndcg_change"

WAYS_OUT = {
    STUDENT_MEASURE: (
        "the student ranks too far below its teacher",
        "Train it longer with --distill-steps, export the whole encoder",
    ),
    TUNED_MEASURE: (
        "the tuned encoder ranks below what it was before",
        "Export it without --tune-encoder",
    ),
}
"""Of a measure of how text ranks: what its failure means, and what to do."""


def judge(report: ParityReport, allow: Sequence[str]) -> ParityReport:
    """Hold a report against its bars.

    Parameters
    ----------
    report
        Without failures.
    allow
        Measures that may fail, by name, such as ``overlap`` or ``refiner_cosine_p1``.

    Returns
    -------
    ParityReport
        With the failures that were allowed.

    Raises
    ------
    ArtefactError
        A measure is past its bar and was not allowed; value, bar and the worst layers are named.
    """
    failures = tuple(_failures(report))
    judged = dataclasses.replace(report, failures=failures, allowed=tuple(sorted(set(allow))))
    barred = [failure for failure in failures if failure.measure not in allow]
    if not barred:
        return judged
    shown = "; ".join(f"{f.measure} of {f.variant} is {f.value:.4g}, the bar is {f.bar:.4g}" for f in barred)
    names = " ".join(f"--allow {name}" for name in dict.fromkeys(failure.measure for failure in barred))
    if all(failure.measure in WAYS_OUT for failure in barred):
        meaning, way_out = WAYS_OUT[barred[0].measure]
        raise ArtefactError(
            f"{meaning}: {shown}. Nothing was written. {way_out}, or accept it on the record with {names}."
        )
    raise ArtefactError(
        f"the exported model is too far from float32: {shown}. {_worst_layers(report.layers)}Nothing was written. "
        f"Calibrate on more texts like those to be served, export fp32 alone, or accept it on the record with {names}."
    )


def _failures(report: ParityReport) -> list[Failure]:
    limits = report.limits
    least: list[tuple[str, str, float | None, float]] = []
    most: list[tuple[str, str, float, float]] = []
    for variant, text in report.text.items():
        where = f"{variant} text"
        least += [
            ("cosine_mean", where, text.cosine_mean, limits.cosine_mean),
            ("cosine_p1", where, text.cosine_p1, limits.cosine_p1),
            ("overlap", where, text.overlap, limits.overlap),
        ]
        most.append(("invariance", where, text.invariance, limits.invariance))
        if variant == "fp16":
            least.append(("fp16_cosine_p1", where, text.cosine_p1, limits.fp16_cosine_p1))
    for variant, item in report.item.items():
        least.append(("item_overlap", f"{variant} item", item.overlap, limits.item_overlap))
        most.append(("invariance", f"{variant} item", item.invariance, limits.invariance))
    for variant, refined in report.refiner.items():
        where = f"{variant} refiner"
        least += [
            ("refiner_cosine_p1", where, refined.cosine_p1, limits.refiner_cosine_p1),
            ("refiner_overlap", where, refined.overlap, limits.refiner_overlap),
            ("ndcg_change", where, _sure_change(refined), -limits.ndcg_change),
        ]
        most.append(("invariance", where, refined.invariance, limits.invariance))
    for graph, layers in report.layers.items():
        if layers:
            most.append(("layer_error", f"{graph}'s worst layer", max(x.error for x in layers), limits.layer_error))
    least += [
        (STUDENT_MEASURE, f"{variant} student", _sure_change(found), -limits.student_ndcg_change)
        for variant, found in report.student.items()
    ]
    least += [
        (TUNED_MEASURE, f"{variant} tuned encoder", _sure_change(found), -limits.tuned_ndcg_change)
        for variant, found in report.tuned.items()
    ]
    # Written so that a value that is not a number fails.
    low = [Failure(*row[:2], row[2], row[3]) for row in least if row[2] is not None and not row[2] >= row[3]]
    return low + [Failure(*row) for row in most if not row[2] <= row[3]]


def _sure_change(found: StudentParity | RefinerParity) -> float | None:
    """The change of NDCG@10 where it is a loss that chance does not explain; else None."""
    high = found.ndcg_change_high
    return None if high is None or high >= 0 else found.ndcg_change


def _worst_layers(layers: Mapping[str, Sequence[LayerError]]) -> str:
    found = sorted((layer for graph in layers.values() for layer in graph), key=lambda layer: -layer.error)
    if not found:
        return ""
    return f"Worst layers: {', '.join(f'{x.name} ({x.error:.1%})' for x in found[:WORST_LAYERS])}. "
