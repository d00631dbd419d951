"""Tuning a text encoder on successions: texts of items that follow each other in histories should lie together.

Knows PyTorch modules, token ids, vectors and counted successions; knows nothing of texts, tokenizers, graphs, or of
events held out. Every text is learned from against the vectors of all others, which are kept in a bank and renewed as
they are made, so that small batches do: there are no negatives drawn from the batch.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice

import numpy as np
import numpy.typing as npt
import scipy.sparse
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from engine_models.distillation import Advance, Lesson, encode, endless_batches, rate, unwatched
from engine_models.successors import count_successors
from engine_runtime.errors import InputError
from engine_runtime.inference.batching import cut_batches

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float32]
Judge = Callable[[Floats], float]
"""From vectors of all items, float32 [items, dim], to how good they are; greater is better."""

VALIDATIONS = 3
ENCODED_TOKENS = 4096

# A logit that no softmax sees; less than infinite, since a share of zero times it has to be zero.
NEVER = -1e9


@dataclass(frozen=True)
class TuneSettings:
    """How an encoder is tuned.

    Attributes
    ----------
    steps
        Batches that it is trained on.
    batch_tokens
        Most positions of a padded batch.
    learning_rate
        Of AdamW, at its peak.
    temperature
        Of the softmax over the items.
    near
        Weight of the distance to the vectors of before, beside the loss on successions.
    seed
        Of order and sampling.
    """

    steps: int = 300
    batch_tokens: int = 1536
    learning_rate: float = 1e-4
    temperature: float = 0.05
    near: float = 1.0
    seed: int = 0


@dataclass(frozen=True)
class Successions:
    """What follows what in the training part of the histories, either way.

    Attributes
    ----------
    shares
        float32 [items, items]: each row sums to 1, or is empty for an item that is not learned from.
    popularity
        int64 [items]: events in the training part.
    """

    shares: scipy.sparse.csr_matrix
    popularity: Ints

    @property
    def offsets(self) -> Floats:
        """Logarithm of the popularity, float32 [items]; an item that nobody met in training is in no softmax."""
        met = self.popularity > 0
        return np.where(met, np.log(np.where(met, self.popularity, 1)), NEVER).astype(np.float32)

    @property
    def rows(self) -> Ints:
        """Items that are learned from."""
        return np.flatnonzero(np.diff(self.shares.indptr))

    def wanted(self, rows: Ints) -> Tensor:
        """Rows of `shares`: float32 [rows, items]."""
        return torch.from_numpy(self.shares[rows].toarray())


def count_successions(items: npt.NDArray[np.int32], offsets: Ints, has_text: npt.NDArray[np.bool_]) -> Successions:
    """Count successions: a pair weighs one over its distance, whichever of the two came first.

    Parameters
    ----------
    items
        int32 [events]: of the training part alone, one user after another.
    offsets
        int64 [users + 1].
    has_text
        bool [items]: of the catalogue; an item without a text is neither learned from nor towards.

    Raises
    ------
    InputError
        No two items with texts follow each other.
    """
    n_items = len(has_text)
    counts = count_successors(items, offsets, n_items, damping=0.0)
    told = scipy.sparse.diags(has_text.astype(np.float64))
    either = (told @ (counts + counts.T) @ told).tocsr()
    either.setdiag(0)
    either.eliminate_zeros()
    if not either.nnz:
        raise InputError(
            "there is nothing to tune the encoder on: in the training part of the histories no two items with texts "
            "follow each other. Export it without --tune-encoder."
        )
    total = np.asarray(either.sum(1)).ravel()
    shares = scipy.sparse.diags(1 / np.where(total > 0, total, 1)) @ either
    return Successions(
        scipy.sparse.csr_matrix(shares, dtype=np.float32), np.bincount(items, minlength=n_items).astype(np.int64)
    )


def tune_encoder(
    encoder: nn.Module,
    lesson: Lesson,
    followed: Successions,
    judge: Judge,
    settings: TuneSettings,
    *,
    device: torch.device | None = None,
    advance: Advance = unwatched,
) -> float:
    """Train `encoder` in place; what is kept is the state that `judge` likes best, be it the one before.

    Parameters
    ----------
    encoder
        Pretrained. Its embeddings are not trained, so that words which the texts do not have keep their place.
    lesson
        Tokens of the items' texts in the order of the catalogue, and the encoder's vectors of them.
    followed
        What the texts are to tell.
    judge
        Told the vectors of all items.
    settings
        The recipe.
    device
        Where to train; the CPU if not given. The encoder is on the CPU afterwards.
    advance
        Called after each step; the remark is what `judge` said last.

    Returns
    -------
    What `judge` said of the state that is kept.
    """
    trainer = _Tuner(encoder, lesson, followed, settings, device or torch.device("cpu"))
    batches = endless_batches(lesson, followed.rows, settings.batch_tokens, np.random.default_rng(settings.seed))
    best, kept, remark = judge(lesson.vectors), copy.deepcopy(encoder.state_dict()), ""
    for step, rows in enumerate(islice(batches, settings.steps), 1):
        trainer.step(rows)
        if step % math.ceil(settings.steps / VALIDATIONS) == 0 or step == settings.steps:
            score = judge(trainer.renew())
            remark = f"NDCG@10 by text alone {score:.4f} on validation events"
            if score >= best:  # where nobody can be asked, all states are alike, and the last one is kept
                best, kept = score, copy.deepcopy(encoder.state_dict())
        advance(1, remark)
    encoder.load_state_dict(kept)
    encoder.requires_grad_(True).cpu()
    return best


class _Tuner:
    """An encoder in training, with the newest vector of every item."""

    def __init__(
        self, encoder: nn.Module, lesson: Lesson, followed: Successions, settings: TuneSettings, device: torch.device
    ) -> None:
        self._encoder, self._lesson, self._followed, self._settings = encoder.to(device), lesson, followed, settings
        self._device = device
        self._before = torch.from_numpy(lesson.vectors).to(device)
        self._bank = self._before.clone()
        self._offsets = torch.from_numpy(followed.offsets).to(device)
        _freeze_embeddings(encoder)
        self._weights = [weight for weight in encoder.parameters() if weight.requires_grad]
        self._optimizer = torch.optim.AdamW(self._weights, settings.learning_rate, betas=(0.9, 0.98), weight_decay=0.01)
        self._schedule = torch.optim.lr_scheduler.LambdaLR(self._optimizer, lambda step: rate(step, settings.steps))

    def step(self, rows: Ints) -> None:
        """Learn from some items, and keep their vectors."""
        found, places = self._encode(rows), torch.from_numpy(rows).to(self._device)
        loss = self._loss(found, places, self._followed.wanted(rows).to(self._device))
        self._optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]  # PyTorch leaves it without annotations
        torch.nn.utils.clip_grad_norm_(self._weights, 1.0)
        self._optimizer.step()
        self._schedule.step()
        self._bank[places] = found.detach()

    @torch.no_grad()
    def renew(self) -> Floats:
        """Encode every item anew: float32 [items, dim]."""
        for rows in cut_batches(self._lesson.tokens.lengths, ENCODED_TOKENS):
            self._bank[torch.from_numpy(rows).to(self._device)] = self._encode(rows)
        vectors: Floats = self._bank.cpu().numpy().copy()
        return vectors

    def _encode(self, rows: Ints) -> Tensor:
        ids, mask = (tensor.to(self._device) for tensor in self._lesson.batch(rows))
        return encode(self._encoder, ids, mask, self._lesson.pooling)

    def _loss(self, found: Tensor, places: Tensor, wanted: Tensor) -> Tensor:
        """Cross-entropy of what follows among all other items, and the distance to the vectors of before.

        The softmax is InfoNCE (van den Oord et al., 2018) over the whole bank. Each item's logit has the logarithm of
        its popularity added, as logit adjustment has it (Menon et al., ICLR 2021): what a vector is to tell is how
        much more often than by chance two items follow each other.
        """
        logits = found @ self._bank.T / self._settings.temperature + self._offsets
        logits = logits.scatter(1, places[:, None], NEVER)
        missed = -(wanted * torch.log_softmax(logits, -1)).sum(-1).mean()
        distance = (1 - (found * F.embedding(places, self._before)).sum(-1)).mean()
        return missed + self._settings.near * distance


def _freeze_embeddings(encoder: nn.Module) -> None:
    for module in encoder.modules():
        if isinstance(module, nn.Embedding):
            module.requires_grad_(False)
