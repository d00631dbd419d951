"""From a pretrained encoder and a data set to the same encoder tuned on the histories: texts that follow lie together.

Knows the order of the steps and what is learned from: item texts and the training part of the histories, never an event
held out. Validation events choose which state is kept; nobody reads the test events here. Knows nothing of ONNX surgery
or int8: the tuned encoder is saved as a model folder, so that the export has one path for all encoders.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import torch

from engine_export.descent import MOST_ITEMS, MOST_USERS, Descendant, Watch, exact_vectors, save_encoder
from engine_export.encoder_graph import load_encoder
from engine_export.sources import EncoderSource
from engine_models.corpus import read_part
from engine_models.distillation import Lesson, unwatched
from engine_models.memory import keep_freed_memory
from engine_models.text_ranking import answer, text_questions
from engine_models.tuning import TuneSettings, count_successions, tune_encoder
from engine_runtime.artefacts.dataset import Dataset
from engine_runtime.artefacts.encoder import TuningInfo
from engine_runtime.inference.tokenizer import Tokenizer


def tune(
    source: EncoderSource,
    dataset: Dataset,
    scratch: Path,
    settings: TuneSettings,
    *,
    device: torch.device | None = None,
    watch: Watch = lambda title, total, unit: nullcontext(unwatched),
    report: Callable[[str], None] = lambda message: None,
) -> Descendant:
    """Tune an encoder on a data set.

    Parameters
    ----------
    source
        The encoder as it is.
    dataset
        Its item texts and the training part of its histories are learned from; validation events choose what is kept.
    scratch
        An empty directory that stays as long as the tuned encoder is needed.
    settings
        Training.
    device
        Where to train; the CPU if not given.
    watch
        Opens a view of the training, such as `engine_runtime.commands.console.progress`.
    report
        Told what happens, a line at a time.

    Raises
    ------
    InputError
        No two items follow each other, or the encoder is of a kind that cannot be exported.
    """
    keep_freed_memory()
    encoder = load_encoder(source)
    corpus = read_part(dataset, MOST_ITEMS)
    questions = text_questions(corpus, MOST_USERS)
    followed = count_successions(*corpus.training_part(), np.array([bool(text.strip()) for text in questions.texts]))
    source.write_tokenizer(scratch / "tokenizer.json")
    # Before the training, so that an encoder which cannot be exported fails here and not after it.
    report(f"encoding {len(questions.texts):,} texts with {source.name} in float32")
    before = exact_vectors(source, scratch / "tokenizer.json", questions.texts)
    tokens = Tokenizer(scratch / "tokenizer.json", source.max_tokens)(questions.texts)
    lesson = Lesson(tokens, before, source.pooling, source.pad_token, n_held_out=0)
    report(f"tuning on what follows {len(followed.rows):,} items")
    with watch("tuning", settings.steps, "steps") as advance:
        tune_encoder(
            encoder,
            lesson,
            followed,
            lambda vectors: float(answer(questions, vectors).sum()) / max(len(questions.targets), 1),
            settings,
            device=device,
            advance=advance,
        )
    made = save_encoder(encoder, f"{source.name} tuned on {dataset.info.name}", source, scratch)
    return Descendant(
        made, TuningInfo(source.name, source.weights, settings.steps, len(followed.rows)), questions, before
    )
