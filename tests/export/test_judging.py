"""How far from float32 is too far."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from engine_export.judging import judge
from engine_export.layers import LayerError
from engine_export.parity import Limits, ParityReport, RefinerParity, StudentParity, VectorParity, read_report
from engine_runtime.errors import ArtefactError

GOOD = VectorParity(0.999, 0.99, 0.98, 0.95, 1e-8)
REFINED = RefinerParity(1.0, 0.999, 0.99, 0.97, 0.001, 1e-8, 0.1, 0.1, 0.0)
LAYERS = tuple(LayerError(name, error, 0.8) for name, error in (("fine", 0.01), ("bad", 0.2), ("worse", 0.4)))
REPORT = ParityReport(100, 50, Limits(), {"int8": GOOD}, {"int8": GOOD}, {"int8": REFINED}, {"encoder int8": LAYERS})


def test_good_report_passes() -> None:
    """A report within its bars is returned without failures."""
    assert judge(REPORT, ()).failures == ()


@pytest.mark.parametrize(
    ("measure", "bad"),
    [
        ("cosine_mean", {"text": {"int8": replace(GOOD, cosine_mean=0.98)}}),
        ("cosine_p1", {"text": {"int8": replace(GOOD, cosine_p1=0.96)}}),
        ("overlap", {"text": {"int8": replace(GOOD, overlap=0.8)}}),
        ("item_overlap", {"item": {"int8": replace(GOOD, overlap=0.6)}}),
        ("layer_error", {"layers": {"int8": (*LAYERS[:2], replace(LAYERS[2], error=0.6))}}),
        ("invariance", {"text": {"int8": replace(GOOD, invariance=1e-4)}}),
        ("refiner_cosine_p1", {"refiner": {"int8": replace(REFINED, cosine_p1=0.97)}}),
        ("refiner_overlap", {"refiner": {"int8": replace(REFINED, overlap=0.85)}}),
        (
            "ndcg_change",
            {"refiner": {"int8": replace(REFINED, ndcg_change=-0.03, ndcg_change_low=-0.05, ndcg_change_high=-0.01)}},
        ),
    ],
)
def test_each_measure_has_a_bar(measure: str, bad: dict[str, Any]) -> None:
    """Past its bar, a measure fails by name with the worst layers, and allowed, it is on the record."""
    report = replace(REPORT, **bad)
    with pytest.raises(ArtefactError, match=rf"{measure} of int8.*worse \([46]0\.0%\), bad .*--allow {measure}"):
        judge(report, ())
    judged = judge(report, (measure,))
    assert [failure.measure for failure in judged.failures] == [measure]
    assert judged.allowed == (measure,)


def test_half_precision_has_a_higher_bar() -> None:
    """What passes for int8 is too far for a variant that only rounds."""
    report = replace(REPORT, text={"fp16": GOOD}, item={})
    with pytest.raises(ArtefactError, match=r"fp16_cosine_p1 of fp16 text is 0\.99, the bar is 0\.999"):
        judge(report, ())
    assert judge(replace(report, text={"fp16": replace(GOOD, cosine_p1=0.9995)}), ()).failures == ()


STUDENT = StudentParity(0.9, 0.8, 0.7, 0.5, 1000, 0.038, 0.04, -0.05, -0.08, -0.02)


def test_student_is_held_to_its_ranking() -> None:
    """A student far from its teacher passes if it ranks as well, and fails by name if it surely does not."""
    level = replace(STUDENT, ndcg_change=-0.02, ndcg_change_low=-0.03, ndcg_change_high=-0.01)
    assert judge(replace(REPORT, student={"int8": level}), ()).failures == ()
    with pytest.raises(
        ArtefactError, match=r"student ranks too far below .*student_ndcg_change of int8 student is -0.05"
    ):
        judge(replace(REPORT, student={"int8": STUDENT}), ())
    judged = judge(replace(REPORT, student={"int8": STUDENT}), ("student_ndcg_change",))
    assert read_report(judged.encode()) == judged


def test_tuned_encoder_that_surely_lost_fails() -> None:
    """An encoder is tuned to gain: any loss that chance does not explain fails, and the way out is named."""
    lost = replace(STUDENT, ndcg_change=-0.01, ndcg_change_low=-0.02, ndcg_change_high=-0.001)
    with pytest.raises(ArtefactError, match=r"tuned_ndcg_change of int8 tuned encoder.*without --tune-encoder"):
        judge(replace(REPORT, tuned={"int8": lost}), ())
    level = replace(lost, ndcg_change_high=0.001)
    judged = judge(replace(REPORT, tuned={"int8": level}), ())
    assert judged.failures == ()
    assert read_report(judged.encode()) == judged


@pytest.mark.parametrize("high", [0.01, None])
def test_loss_that_may_be_chance_holds_nothing_up(high: float | None) -> None:
    """With few users to ask, or none, a student is not failed for what chance does."""
    unsure = replace(STUDENT, ndcg_change_high=high)
    assert judge(replace(REPORT, student={"int8": unsure}), ()).failures == ()


def test_not_a_number_fails() -> None:
    """A measure that is not a number is past its bar."""
    with pytest.raises(ArtefactError, match="cosine_mean"):
        judge(replace(REPORT, text={"int8": replace(GOOD, cosine_mean=float("nan"))}), ())


def test_unknown_ndcg_does_not_fail() -> None:
    """Where no history can be ranked on, the change of NDCG is unknown and holds nothing up."""
    unknown = replace(REFINED, ndcg=None, ndcg_fp32=None, ndcg_change=None)
    assert judge(replace(REPORT, refiner={"int8": unknown}), ()).failures == ()


def test_a_loss_that_chance_explains_does_not_fail() -> None:
    """Of few users NDCG jumps: where the interval of its change holds zero, nothing is held up."""
    unsure = replace(REFINED, ndcg_change=-0.03, ndcg_change_low=-0.08, ndcg_change_high=0.02)
    assert judge(replace(REPORT, refiner={"int8": unsure}), ()).failures == ()
