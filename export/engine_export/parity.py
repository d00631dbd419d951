"""How far a quantized variant is from float32, and whether that is close enough.

Knows figures and bars; knows nothing of how they were measured. The report goes into the artefact; past a
bar the export fails unless that measure was allowed by name, which the report then records.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import msgspec

from engine_export.layers import LayerError
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


@dataclass(frozen=True)
class Limits:
    """The bars.

    Attributes
    ----------
    cosine_mean, cosine_p1
        Least cosine of ``text`` to float32: mean and first percentile.
    overlap
        Least share of the ten nearest neighbours by ``text`` that stay.
    item_overlap
        The same by ``item``. Looser: whitening makes the weak directions strong, and a refiner is trained on the
        vectors of the variant that serves.
    refiner_cosine_p1
        Least first percentile of the cosine of ``query``.
    refiner_overlap
        Least share of the ten items nearest to ``query`` that stay.
    ndcg_change
        Greatest relative loss of NDCG@10 by the refiner's int8 form.
    student_ndcg_change
        Greatest relative loss of NDCG@10 by text vectors alone, from a teacher to its student. A loss whose interval
        holds zero does not count: with few users, chance alone is greater than the bar.
    tuned_ndcg_change
        The same from an encoder to its tuned form, which is made to gain.
    invariance
        Greatest difference in any output between a row alone and the same row in a mixed batch.
    layer_error
        Greatest relative error of a layer on exact inputs. Far above what rounding does: a layer past it was calibrated
        on something else than what it is judged on, even where other layers hide that.
    fp16_cosine_p1
        What ``cosine_p1`` has to be in half precision, which rounds and does not quantize.
    """

    cosine_mean: float = 0.99
    cosine_p1: float = 0.97
    overlap: float = 0.85
    item_overlap: float = 0.7
    refiner_cosine_p1: float = 0.98
    refiner_overlap: float = 0.9
    ndcg_change: float = 0.02
    student_ndcg_change: float = 0.03
    tuned_ndcg_change: float = 0.0
    invariance: float = 1e-5
    layer_error: float = 0.5
    fp16_cosine_p1: float = 0.999


@dataclass(frozen=True)
class VectorParity:
    """One output of one encoder variant.

    Attributes
    ----------
    cosine_mean, cosine_p1, cosine_min
        To float32, over distinct texts.
    overlap
        Share of each text's nearest neighbours that are the same as in float32.
    invariance
        Greatest difference between a text alone and in a mixed batch.
    """

    cosine_mean: float
    cosine_p1: float
    cosine_min: float
    overlap: float
    invariance: float


@dataclass(frozen=True)
class RefinerParity:
    """One refiner variant.

    Attributes
    ----------
    cosine_mean, cosine_p1, cosine_min
        Of ``query`` to float32, over users.
    overlap
        Share of the ten items nearest to ``query`` that are the same as in float32.
    profile_error
        Greatest difference in any number of ``profile``.
    invariance
        Greatest difference between a history alone and in a mixed batch.
    ndcg, ndcg_fp32
        NDCG@10 on the last event of a sample of users; None where no history has two events.
    ndcg_change, ndcg_change_low, ndcg_change_high
        Relative, with its 95 % interval over users: positive is better than float32. Of few users the interval is wide,
        and a loss holds an export up only where the interval leaves out zero.
    """

    cosine_mean: float
    cosine_p1: float
    cosine_min: float
    overlap: float
    profile_error: float
    invariance: float
    ndcg: float | None
    ndcg_fp32: float | None
    ndcg_change: float | None
    ndcg_change_low: float | None = None
    ndcg_change_high: float | None = None


@dataclass(frozen=True)
class StudentParity:
    """One variant of a student or a tuned encoder, beside the encoder that it was made from, its teacher, in float32.

    Attributes
    ----------
    cosine_mean, cosine_p1, cosine_min, overlap
        As in `VectorParity`, but to the teacher; not held against a bar.
    n_users
        Asked for their next item by text vectors alone, see `engine_models.text_ranking`.
    ndcg, ndcg_teacher
        NDCG@10; None where nobody can be asked.
    ndcg_change, ndcg_change_low, ndcg_change_high
        Relative, with the paired 95 % interval over users: positive is better than the teacher.
    """

    cosine_mean: float
    cosine_p1: float
    cosine_min: float
    overlap: float
    n_users: int
    ndcg: float | None
    ndcg_teacher: float | None
    ndcg_change: float | None
    ndcg_change_low: float | None
    ndcg_change_high: float | None


@dataclass(frozen=True)
class Failure:
    """A measure past its bar."""

    measure: str
    variant: str
    value: float
    bar: float


@dataclass(frozen=True)
class ParityReport:
    """What ``parity.json`` holds.

    Attributes
    ----------
    n_texts, n_users
        Compared.
    limits
        The bars.
    text, item
        Outputs of the encoder, by variant.
    refiner
        By variant.
    student
        By variant; empty for an encoder that is no student.
    tuned
        By variant, beside the encoder before it was tuned; empty for one that was not.
    layers
        Error of each quantized layer, by graph and variant.
    failures
        Measures past their bar; an artefact exists only where all of them were allowed.
    allowed
        Measures that were allowed to fail.
    judged_on
        What the figures of a variant were measured on.
    """

    n_texts: int
    n_users: int
    limits: Limits
    text: dict[str, VectorParity] = field(default_factory=dict)
    item: dict[str, VectorParity] = field(default_factory=dict)
    refiner: dict[str, RefinerParity] = field(default_factory=dict)
    layers: dict[str, tuple[LayerError, ...]] = field(default_factory=dict)
    student: dict[str, StudentParity] = field(default_factory=dict)
    tuned: dict[str, StudentParity] = field(default_factory=dict)
    failures: tuple[Failure, ...] = ()
    allowed: tuple[str, ...] = ()
    judged_on: dict[str, str] = field(default_factory=dict)

    def encode(self) -> bytes:
        """The report as JSON."""
        return msgspec.json.format(msgspec.json.encode(self), indent=2)


def read_report(document: bytes) -> ParityReport:
    """Read what `ParityReport.encode` wrote; raises `ArtefactError`."""
    try:
        return msgspec.json.decode(document, type=ParityReport)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ArtefactError(f"the parity report is not readable: {error}. Export again.") from error


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
