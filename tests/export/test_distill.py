"""Students: what they learn from, how they are made, held against their teacher and exported."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from engine_export.descent import Descendant, compare_with_origin
from engine_export.distill import distill, lesson_texts, part
from engine_export.encoder import ExportSettings, export_encoder
from engine_export.parity import Limits, read_report
from engine_export.sources import EncoderSource, describe
from engine_models.distillation import DistillSettings
from engine_models.text_ranking import answer
from engine_runtime.artefacts.dataset import Dataset
from engine_runtime.artefacts.encoder import EncoderArtefact, StudentInfo
from engine_runtime.cli import run as run_engine
from engine_runtime.errors import ArtefactError, InputError
from engine_runtime.inference.encoder import TextEncoder
from tiny_models import FAST, texts_of

MEASURE = "student_ndcg_change"


@pytest.fixture(scope="module")
def student(source: EncoderSource, dataset: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Descendant:
    return distill(source, dataset, tmp_path_factory.mktemp("student"), DistillSettings(steps=5))


@pytest.fixture(scope="module")
def outdone(student: Descendant) -> Descendant:
    """The student beside a teacher who knows the shop: users walk in threes, and so do these vectors."""
    ring, place = np.arange(120) % 3, np.arange(120) // 3 * 2 * np.pi / 40
    vectors = np.stack([*(ring == np.arange(3)[:, None]), np.cos(place), np.sin(place)], axis=1).astype(np.float32)
    return replace(student, expected=np.pad(vectors, ((0, 0), (0, 27))))


@pytest.fixture(scope="module")
def exported(student: Descendant, dataset: Dataset, tmp_path_factory: pytest.TempPathFactory) -> EncoderArtefact:
    out = tmp_path_factory.mktemp("exported") / "out"
    settings = ExportSettings(quantize=FAST, allow=(MEASURE,))
    return export_encoder(student.source, dataset, out, settings, made=student)


def test_part_is_a_run_of_words() -> None:
    """A part of a long text is a run of its words, a quarter to three quarters of them."""
    generator = np.random.default_rng(0)
    text = " ".join(str(number) for number in range(20))
    for words in (part(text, generator).split() for _ in range(50)):
        numbers = [int(word) for word in words]
        assert 5 <= len(numbers) <= 15
        assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))


@pytest.mark.parametrize("text", ["洗发水控油去屑", "tea", " x "])
def test_part_of_few_words_is_a_run_of_characters(text: str) -> None:
    """Scripts without blanks and short titles are cut by characters, never to nothing."""
    found = part(text, np.random.default_rng(0))
    assert found
    assert found in text


def test_parts_are_of_texts_that_are_learned() -> None:
    """One text in twenty is held out, and no part is of one of them."""
    texts, n_held_out = lesson_texts([*texts_of(400), "", texts_of(1)[0]], np.random.default_rng(0))
    assert n_held_out == 20
    assert sorted(texts[:400]) == sorted(texts_of(400))
    assert len(texts) == len(set(texts)) > 1000
    learned = set(texts[20:400])
    assert all(any(found in text for text in learned) for found in texts[400:420])


def test_no_text_to_learn_from() -> None:
    """Blank texts alone are an error of the input."""
    with pytest.raises(InputError, match="no text to learn from"):
        lesson_texts(["", " "], np.random.default_rng(0))


def test_few_texts_are_all_learned() -> None:
    """Of three texts none is held out, and their parts make up for their number."""
    texts, n_held_out = lesson_texts(texts_of(3), np.random.default_rng(0))
    assert n_held_out == 0
    assert len(texts) > 20


def test_student_is_an_encoder_of_half_the_depth(student: Descendant, source: EncoderSource) -> None:
    """The folder is read like any encoder's, with the teacher's pooling and length, and the facts name the teacher."""
    made = describe(student.source.name, student.source.folder)
    assert (made.pooling, made.max_tokens, made.pad_token) == (source.pooling, source.max_tokens, source.pad_token)
    assert json.loads((made.folder / "config.json").read_text())["num_hidden_layers"] == 1
    info = student.info
    assert isinstance(info, StudentInfo)
    assert (info.teacher, info.teacher_weights) == (source.name, source.weights)
    assert (info.layers, info.teacher_layers, info.feed_forward, info.teacher_feed_forward) == ((0,), 2, 64, 64)
    assert made.weights != source.weights


def test_student_is_held_to_the_teacher_in_float32(
    student: Descendant, encoder: EncoderArtefact, dataset: Dataset
) -> None:
    """The vectors that it is compared with are those of the exported float32 teacher."""
    teacher = TextEncoder(encoder.graph("fp32"), encoder.tokenizer, encoder.info, threads=1)
    np.testing.assert_allclose(student.expected, teacher.encode(student.questions.texts), atol=1e-5)
    assert len(student.questions.texts) == dataset.info.n_items


def test_artefact_says_that_it_is_a_student(exported: EncoderArtefact, student: Descendant) -> None:
    """Facts are in the manifest, figures of both variants in the report."""
    assert exported.info.student == student.info
    assert exported.info.source == "student of tiny-bert"
    report = read_report(exported.parity.read_bytes())
    assert set(report.student) == {"int8", "fp32"}
    assert report.student["fp32"].cosine_mean > 0.5
    assert report.student["fp32"].n_users == 90
    assert report.text["int8"].cosine_mean > 0.99


def test_pretrained_encoder_is_no_student(encoder: EncoderArtefact) -> None:
    """An encoder that was exported as it is has neither facts nor figures of a student."""
    assert encoder.info.student is None
    assert read_report(encoder.parity.read_bytes()).student == {}


def test_teacher_itself_loses_nothing(student: Descendant) -> None:
    """The teacher's own vectors are at cosine 1, with all neighbours, and rank alike."""
    answers = answer(student.questions, student.expected)
    found = compare_with_origin(student.questions, student.expected, student.expected, answers)
    assert found.cosine_min == pytest.approx(1)
    assert found.overlap == 1
    assert (found.ndcg_change, found.ndcg_change_low, found.ndcg_change_high) == (0, 0, 0)


def test_nobody_to_rank_for_holds_nothing_up(student: Descendant) -> None:
    """Without histories there is no figure of ranking."""
    questions = replace(student.questions, targets=student.questions.targets[:0])
    found = compare_with_origin(questions, student.expected, student.expected, np.zeros(0))
    assert (found.n_users, found.ndcg, found.ndcg_change) == (0, None, None)


def test_student_that_ranks_badly_fails_and_leaves_nothing(
    outdone: Descendant, dataset: Dataset, tmp_path: Path
) -> None:
    """Past the limit of ranking nothing is written, and the error names measure, value and ways out."""
    with pytest.raises(ArtefactError, match=rf"{MEASURE} of fp32 student.*--distill-steps.*--allow {MEASURE}"):
        export_encoder(outdone.source, dataset, tmp_path / "out", ExportSettings(("fp32",)), made=outdone)
    assert list(tmp_path.iterdir()) == []


def test_bad_ranking_may_be_allowed_on_the_record(outdone: Descendant, dataset: Dataset, tmp_path: Path) -> None:
    """Allowed by name, the student is written with the failure in its report."""
    settings = ExportSettings(("fp32",), allow=(MEASURE,))
    made = export_encoder(outdone.source, dataset, tmp_path / "out", settings, made=outdone)
    (failure,) = read_report(made.parity.read_bytes()).failures
    assert (failure.measure, failure.bar) == (MEASURE, -Limits().student_ndcg_change)


def test_command_makes_a_student(
    source: EncoderSource, dataset: Dataset, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """`engine export --distill` trains, exports and verifies; `engine inspect` shows of whom it is a student."""
    what = ("--encoder", str(source.folder), "--calibrate", str(dataset.root), "--precision", "fp32")
    how = ("--distill", "--distill-steps", "3", "--seed", "1", "--allow", MEASURE)
    assert run_engine(["export", *what, *how, "--out", str(tmp_path / "out")]) == 0
    shown = capsys.readouterr()
    assert "student to teacher fp32" in shown.out
    assert "training: 3 of 3 steps" in shown.err
    assert run_engine(["inspect", str(tmp_path / "out"), "--json"]) == 0
    student = json.loads(capsys.readouterr().out)["info"]["student"]
    assert (student["teacher"], student["layers"], student["steps"]) == ("tiny-bert", [0], 3)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--distill",), "--calibrate"),
        (("--distill-steps", "3"), "add --distill"),
        (("--seed", "3"), "add --distill"),
    ],
)
def test_options_that_do_not_go_together(
    options: tuple[str, ...], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A student without texts, and options of a student without one, are refused."""
    assert run_engine(["export", *options, "--out", str(tmp_path / "out")]) == 2
    assert said in capsys.readouterr().err


def test_taken_place_is_said_before_the_training(
    dataset: Dataset, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """An artefact in the way is an error before anything is trained."""
    (tmp_path / "file").touch()
    assert run_engine(["export", "--distill", "--calibrate", str(dataset.root), "--out", str(tmp_path)]) == 2
    assert "--force" in capsys.readouterr().err
