"""Training a small text encoder towards the vectors of a large one.

Knows PyTorch modules, token ids and vectors; knows nothing of texts, tokenizers or graphs. Two losses: the student's
vector should be the teacher's, and of two texts the student should think as near as the teacher does, which is what
ranking needs.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Protocol

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from engine_models.head import fit_whitening
from engine_models.settings import TrainSettings
from engine_runtime.inference.batching import cut_batches, pad_rows
from engine_runtime.inference.machine import this_machine
from engine_runtime.inference.tokenizer import Tokens

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float32]

WARM_UP = 0.1
VALIDATIONS = 10


@dataclass(frozen=True)
class DistillSettings:
    """How a student is made.

    Attributes
    ----------
    depth, width
        Share of the teacher's layers, and of its feed-forward neurons, that is kept.
    steps
        Batches that it is trained on.
    batch_tokens
        Most positions of a padded batch.
    learning_rate
        Of AdamW, at its peak.
    white, relation
        Weights of the losses on whitened vectors and on neighbours, beside that on vectors.
    temperature
        Of the softmax over neighbours.
    bank
        Texts that a batch's neighbours are looked for among, drawn anew for each batch.
    seed
        Of order and sampling.
    """

    depth: float = 1 / 2
    width: float = 1 / 3
    steps: int = 600
    batch_tokens: int = 1536
    learning_rate: float = 5e-4
    white: float = 0.5
    relation: float = 0.1
    temperature: float = 0.05
    bank: int = 4096
    seed: int = 0


@dataclass(frozen=True)
class Lesson:
    """What a student is trained on.

    Attributes
    ----------
    tokens
        Of all texts.
    vectors
        float32 [texts, dim]: the teacher's, of length 1.
    pooling
        ``mean`` or ``cls``.
    pad_token
        Id that fills a batch.
    n_held_out
        The first so many texts are not trained on but judged by; where there are none, all are judged by.
    """

    tokens: Tokens
    vectors: Floats
    pooling: str
    pad_token: int
    n_held_out: int

    def batch(self, rows: Ints) -> tuple[Tensor, Tensor]:
        """Token ids and mask of some texts: int64 [texts, longest] each."""
        lengths = self.tokens.lengths[rows]
        width = int(lengths.max(initial=1))
        ids = pad_rows(self.tokens.ids, self.tokens.offsets, rows, width, self.pad_token)
        mask = (np.arange(width) < lengths[:, None]).astype(np.int64)
        return torch.from_numpy(ids), torch.from_numpy(mask)


class Advance(Protocol):
    """Told of training: so many more steps, and what is to be shown beside their count."""

    def __call__(self, done: int, remark: str = "") -> None:
        """Take note."""
        ...


def unwatched(done: int, remark: str = "") -> None:
    """Take no note."""


def train_student(student: nn.Module, lesson: Lesson, settings: DistillSettings, advance: Advance = unwatched) -> float:
    """Train `student` in place; what is kept is the state with the best cosine on texts held out.

    Parameters
    ----------
    student
        As `engine_models.student.initial_student` made it.
    lesson
        What it learns from.
    settings
        The recipe.
    advance
        Called after each step; the remark is the last cosine.

    Returns
    -------
    The best mean cosine to the teacher's vectors on texts held out.
    """
    generator = np.random.default_rng(settings.seed)
    trained = np.arange(lesson.n_held_out, len(lesson.vectors))
    held_out = np.arange(lesson.n_held_out or len(lesson.vectors))
    optimizer = torch.optim.AdamW(student.parameters(), settings.learning_rate, betas=(0.9, 0.98), weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: rate(step, settings.steps))
    vectors, whiten = torch.from_numpy(lesson.vectors), _whitener(lesson.vectors)
    best, kept, remark = validate(student, lesson, held_out), copy.deepcopy(student.state_dict()), ""
    batches = endless_batches(lesson, trained, settings.batch_tokens, generator)
    for step, rows in enumerate(islice(batches, settings.steps), 1):
        others = generator.choice(trained, min(settings.bank, len(trained)), replace=False)
        found = encode(student, *lesson.batch(rows), lesson.pooling)
        loss = _loss(found, vectors[rows], vectors[others], whiten, settings)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]  # PyTorch leaves it without annotations
        torch.nn.utils.clip_grad_norm_(student.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        if step % math.ceil(settings.steps / VALIDATIONS) == 0 or step == settings.steps:
            cosine = validate(student, lesson, held_out)
            remark = f"cosine to the teacher {cosine:.4f} on texts held out"
            if cosine > best:
                best, kept = cosine, copy.deepcopy(student.state_dict())
        advance(1, remark)
    student.load_state_dict(kept)
    return best


@torch.no_grad()
def validate(student: nn.Module, lesson: Lesson, rows: Ints) -> float:
    """Mean cosine of the student's vectors of some texts to the teacher's."""
    total = 0.0
    for batch in cut_batches(lesson.tokens.lengths[rows], 2048):
        found = encode(student, *lesson.batch(rows[batch]), lesson.pooling)
        total += float((found * torch.from_numpy(lesson.vectors[rows[batch]])).sum())
    return total / max(len(rows), 1)


def encode(encoder: nn.Module, ids: Tensor, mask: Tensor, pooling: str) -> Tensor:
    """Vectors of texts: int64 [batch, tokens] twice, on the encoder's device -> float32 [batch, dim] of length 1."""
    kind = ids.device.type
    with torch.autocast(kind, torch.bfloat16, enabled=kind == "cuda" or "avx512_bf16" in this_machine().features):
        states = encoder(input_ids=ids, attention_mask=mask).last_hidden_state.float()
    pooled = states[:, 0] if pooling == "cls" else (states * mask[..., None]).sum(1)
    return F.normalize(pooled, dim=-1)


def rate(step: int, steps: int) -> float:
    """Share of the peak learning rate: a linear rise, then half a cosine to zero."""
    rise = max(1, round(WARM_UP * steps))
    return (step + 1) / rise if step < rise else 0.5 * (1 + math.cos(math.pi * (step - rise) / max(steps - rise, 1)))


def endless_batches(lesson: Lesson, rows: Ints, batch_tokens: int, generator: np.random.Generator) -> Iterator[Ints]:
    """Batches of like length without end, each text once an epoch."""
    while True:
        order = generator.permutation(rows)
        cut = cut_batches(lesson.tokens.lengths[order], batch_tokens)
        for number in generator.permutation(len(cut)):
            yield order[cut[number]]


def _loss(
    found: Tensor, wanted: Tensor, others: Tensor, whiten: Callable[[Tensor], Tensor], settings: DistillSettings
) -> Tensor:
    """Distance of the student's vectors to the teacher's, plain and whitened, and of its neighbours to the teacher's.

    The neighbours of a text are a softmax over cosines to `others`, as in similarity-preserving distillation (Tung and
    Mori, ICCV 2019) with the teacher's vectors for an anchor: what ranks right there ranks right among all texts.
    """
    distance = (1 - (found * wanted).sum(-1)).mean()
    white = (whiten(found) - whiten(wanted)).square().sum(-1).mean()
    near = torch.softmax(wanted @ others.T / settings.temperature, -1)
    thought = torch.log_softmax(found @ others.T / settings.temperature, -1)
    return distance + settings.white * white + settings.relation * F.kl_div(thought, near, reduction="batchmean")


def _whitener(vectors: Floats) -> Callable[[Tensor], Tensor]:
    """Whitening as training has it: ranking there hangs on all of its directions alike."""
    mean, matrix = map(torch.from_numpy, fit_whitening(vectors, min(TrainSettings.white_dim, vectors.shape[1])))
    return lambda rows: (rows - mean) @ matrix
