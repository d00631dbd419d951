"""How far a quantized variant is from float32: the report that goes into an artefact, with the bars that it is held to.

Knows figures and bars; knows nothing of how they were measured, nor of what becomes of a report past its bar.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import msgspec

from engine_export.layers import LayerError
from engine_runtime.errors import ArtefactError


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
