"""An encoder made from another one: as a folder to be exported, and held against the one that it came from.

Knows vectors, folders and how texts rank; knows nothing of training. What was made is saved in the formats of
pretrained encoders, so that the export has one path for all of them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import onnx
from torch import nn

from engine_export.compare import cosines, neighbours, overlap
from engine_export.encoder_graph import TEXT, encoder_graphs
from engine_export.graph import Floats
from engine_export.parity import ParityReport, StudentParity
from engine_export.sources import POOLINGS, EncoderSource, describe
from engine_models.corpus import evenly
from engine_models.distillation import Advance
from engine_models.metrics import Doubles, estimate
from engine_models.text_ranking import TextQuestions, answer
from engine_runtime.artefacts.encoder import EncoderInfo, StudentInfo, TuningInfo
from engine_runtime.inference.encoder import TextEncoder

MOST_ITEMS = 50_000
"""Of a larger catalogue, so many texts are learned from and ranked: they have to be read in float32."""

MOST_USERS = 20_000
COMPARED_TEXTS = 2000

Watch = Callable[[str, int, str], AbstractContextManager[Advance]]
"""From a title, a number of steps and their unit to what is told of each step."""


@dataclass(frozen=True)
class Descendant:
    """An encoder made from another one, and what it is held against.

    Attributes
    ----------
    source
        It, as an encoder to be exported; its folder lies in the scratch directory of what made it.
    info
        What the artefact says of it: a student, or a tuned encoder.
    questions
        Of the data set.
    expected
        float32 [items, dim]: the vectors of the questions' texts by the encoder that it came from.
    """

    source: EncoderSource
    info: StudentInfo | TuningInfo
    questions: TextQuestions
    expected: Floats

    def describe(self, info: EncoderInfo) -> EncoderInfo:
        """Add to the facts of an exported encoder how it was made."""
        if isinstance(self.info, StudentInfo):
            return replace(info, student=self.info)
        return replace(info, tuning=self.info)

    def judged(
        self, report: ParityReport, graphs: Mapping[str, onnx.ModelProto], tokenizer: Path, info: EncoderInfo
    ) -> ParityReport:
        """Add to a parity report how every variant stands to the encoder that it came from, in float32."""
        found = self.compare(graphs, tokenizer, info)
        return replace(report, student=found) if isinstance(self.info, StudentInfo) else replace(report, tuned=found)

    def compare(
        self, graphs: Mapping[str, onnx.ModelProto], tokenizer: Path, info: EncoderInfo
    ) -> dict[str, StudentParity]:
        """Hold every variant of the exported encoder against the one that it came from, in float32."""
        answers = answer(self.questions, self.expected)
        found = {}
        for variant, graph in graphs.items():
            vectors = TextEncoder(graph.SerializeToString(), tokenizer, info).encode(self.questions.texts)
            found[variant] = compare_with_origin(self.questions, self.expected, vectors, answers)
        return found


def exact_vectors(source: EncoderSource, tokenizer: Path, texts: Sequence[str]) -> Floats:
    """Vectors of texts by an encoder in float32: [texts, dim] of length 1."""
    graph = encoder_graphs(source).cpu
    dim = graph.graph.output[0].type.tensor_type.shape.dim[-1].dim_value
    info = EncoderInfo(
        source.name, source.weights, dim, source.max_tokens, source.pad_token, ("fp32",), {}, source.pooling, {}
    )
    return TextEncoder(graph.SerializeToString(), tokenizer, info).encode(texts, TEXT)


def compare_with_origin(questions: TextQuestions, expected: Floats, found: Floats, answers: Doubles) -> StudentParity:
    """Figures of vectors, float32 [items, dim] like those of the origin; `answers` are the origin's by user."""
    distinct = np.unique(np.asarray(questions.texts), return_index=True)[1]
    rows = np.sort(distinct)[evenly(len(distinct), COMPARED_TEXTS)]
    cosine = cosines(expected[rows], found[rows])
    own = answer(questions, found)
    teacher = float(answers.mean()) if len(answers) else 0.0
    change = estimate(own - answers)
    return StudentParity(
        cosine_mean=float(cosine.mean()),
        cosine_p1=float(np.percentile(cosine, 1)),
        cosine_min=float(cosine.min()),
        overlap=overlap(neighbours(expected[rows]), neighbours(found[rows])),
        n_users=len(answers),
        ndcg=float(own.mean()) if teacher else None,
        ndcg_teacher=teacher or None,
        ndcg_change=change.mean / teacher if teacher else None,
        ndcg_change_low=change.low / teacher if teacher else None,
        ndcg_change_high=change.high / teacher if teacher else None,
    )


def save_encoder(model: nn.Module, name: str, origin: EncoderSource, folder: Path) -> EncoderSource:
    """Write an encoder that pools and cuts as `origin` does in the formats that `engine_export.sources` reads."""
    cast(Any, model).save_pretrained(str(folder))  # of transformers, which has no annotations
    pooling = {mode: kind == origin.pooling for mode, kind in POOLINGS.items()}
    (folder / "1_Pooling").mkdir()
    (folder / "1_Pooling" / "config.json").write_text(json.dumps(pooling))
    (folder / "sentence_bert_config.json").write_text(json.dumps({"max_seq_length": origin.max_tokens}))
    return describe(name, folder)
