"""From a pretrained encoder and a data set to a student of it: a smaller encoder that can be exported like any other.

Knows the order of the steps, what texts a student learns from, and how it is held against its teacher; knows nothing of
ONNX surgery or int8. The student is saved as a model folder, so that the export has one path for all encoders.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from pathlib import Path

import numpy as np
from torch import Tensor, nn

from engine_export.descent import MOST_ITEMS, MOST_USERS, Descendant, Watch, exact_vectors, save_encoder
from engine_export.encoder_graph import load_encoder
from engine_export.sources import EncoderSource
from engine_models.corpus import evenly, read_part
from engine_models.distillation import DistillSettings, Lesson, train_student, unwatched
from engine_models.memory import keep_freed_memory
from engine_models.student import StudentShape, feed_forward, initial_student, student_shape, transformer_layers
from engine_models.text_ranking import text_questions
from engine_runtime.artefacts.dataset import Dataset
from engine_runtime.artefacts.encoder import StudentInfo
from engine_runtime.errors import InputError
from engine_runtime.inference.batching import cut_batches
from engine_runtime.inference.tokenizer import Tokenizer

LEAST_PARTS = 2048
HELD_OUT = 20
MOST_HELD_OUT = 1000
WEIGHING_TEXTS = 256
BATCH_TOKENS = 2048

# Texts of fewer words are cut by characters: a short title, or a script without blanks.
FEW_WORDS = 4


def distill(
    source: EncoderSource,
    dataset: Dataset,
    scratch: Path,
    settings: DistillSettings,
    *,
    watch: Watch = lambda title, total, unit: nullcontext(unwatched),
    report: Callable[[str], None] = lambda message: None,
) -> Descendant:
    """Make a student of an encoder, trained on the texts of a data set.

    Parameters
    ----------
    source
        The teacher.
    dataset
        Its item texts, and parts of them, are what the student learns from; its histories are what it is held to.
    scratch
        An empty directory that stays as long as the student is needed.
    settings
        Shape and training.
    watch
        Opens a view of the training, such as `engine_runtime.commands.console.progress`.
    report
        Told what happens, a line at a time.

    Raises
    ------
    InputError
        There is no text, or the encoder is of a kind of which no student can be made.
    """
    keep_freed_memory()
    teacher = load_encoder(source)
    shape = student_shape(teacher, settings.depth, settings.width)
    questions = text_questions(read_part(dataset, MOST_ITEMS), MOST_USERS)
    texts, n_held_out = lesson_texts(questions.texts, np.random.default_rng(settings.seed))
    source.write_tokenizer(scratch / "tokenizer.json")
    report(f"encoding {len(texts):,} texts and parts of texts with {source.name} in float32")
    expected = exact_vectors(source, scratch / "tokenizer.json", [*texts, *questions.texts])
    tokens = Tokenizer(scratch / "tokenizer.json", source.max_tokens)(texts)
    lesson = Lesson(tokens, expected[: len(texts)], source.pooling, source.pad_token, n_held_out)
    student = initial_student(teacher, shape, _weighing(lesson))
    report(f"training a student of {len(shape.layers)} layers with {shape.feed_forward} feed-forward neurons")
    with watch("training", settings.steps, "steps") as advance:
        cosine = train_student(student, lesson, settings, advance)
    made = save_encoder(student, f"student of {source.name}", source, scratch)
    return Descendant(
        made, _info(source, teacher, shape, settings.steps, len(texts), cosine), questions, expected[len(texts) :]
    )


def lesson_texts(texts: Sequence[str], generator: np.random.Generator) -> tuple[list[str], int]:
    """What a student learns from.

    Parameters
    ----------
    texts
        Of a catalogue.
    generator
        Of the order, the parts, and which texts are held out.

    Returns
    -------
    texts : list of str
        Distinct texts that are not blank, in random order; then random parts of those not held out, about as many, and
        at least `LEAST_PARTS` drawn. Parts keep a student sane on shorter texts and on other mixtures of fields.
    n_held_out : int
        So many of the first are held out: one in twenty, and none of fewer than twenty.

    Raises
    ------
    InputError
        There is no text.
    """
    distinct = [text for text in dict.fromkeys(texts) if text.strip()]
    if not distinct:
        raise InputError("there is no text to learn from. Give a data set whose items have texts.")
    whole = [distinct[row] for row in generator.permutation(len(distinct))]
    n_held_out = min(len(whole) // HELD_OUT, MOST_HELD_OUT)
    learned = whole[n_held_out:]
    again = generator.integers(0, len(learned), max(0, LEAST_PARTS - len(learned)))
    parts = [part(text, generator) for text in [*learned, *(learned[row] for row in again)]]
    return list(dict.fromkeys([*whole, *parts])), n_held_out


def part(text: str, generator: np.random.Generator) -> str:
    """A random run of words of a text, a quarter to three quarters of them; of a text of few words, of characters."""
    words = text.split()
    units, between = (words, " ") if len(words) >= FEW_WORDS else (list(text.strip()), "")
    size = max(1, round(len(units) * generator.uniform(0.25, 0.75)))
    start = int(generator.integers(0, len(units) - size + 1))
    return between.join(units[start : start + size])


def _weighing(lesson: Lesson) -> list[tuple[Tensor, Tensor]]:
    """Texts that the neurons are weighed on, in batches."""
    rows = evenly(len(lesson.vectors), WEIGHING_TEXTS)
    return [lesson.batch(rows[batch]) for batch in cut_batches(lesson.tokens.lengths[rows], BATCH_TOKENS)]


def _info(
    source: EncoderSource, teacher: nn.Module, shape: StudentShape, steps: int, n_texts: int, cosine: float
) -> StudentInfo:
    layers = transformer_layers(teacher)
    return StudentInfo(
        teacher=source.name,
        layers=shape.layers,
        feed_forward=shape.feed_forward,
        teacher_layers=len(layers),
        teacher_feed_forward=feed_forward(layers[0])[0].out_features,
        steps=steps,
        texts=n_texts,
        held_out_cosine=cosine,
        teacher_weights=source.weights,
    )
