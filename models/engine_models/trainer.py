"""The loop: epochs over windows, validation, early stopping. Knows tensors; knows nothing of files or item names."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import cast

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor
from torch.optim.swa_utils import AveragedModel

from engine_models.checkpoint import Progress
from engine_models.losses import full_softmax, sampled_softmax
from engine_models.metrics import DEPTH, per_user
from engine_models.model import ProfileModel
from engine_models.queries import last_queries
from engine_models.settings import TrainSettings
from engine_models.split import Ints
from engine_models.windows import Batch, Events, batches, gather
from engine_runtime.inference.machine import this_machine

VALIDATE_EVERY = 2
BATCH_USERS = 256
PROFILE_SHARE = 0.15
"""Share of a batch's histories whose profiles are asked for the next item too: all would cost a second softmax."""


@dataclass(frozen=True)
class Material:
    """Everything that a training reads, on its device.

    Attributes
    ----------
    white
        float32 [items, white_dim]: whitened texts of the catalogue.
    events
        All ordered events.
    offsets
        int64 [users + 1].
    learned
        Those of them that training may see.
    starts, lengths
        Training windows over `learned`.
    trained
        int64 [items with training events]: what the softmax is over; other items are never pushed away.
    hidden
        int64: items that may not be recommended.
    valid_users, valid
        int64: users that a validation ranks for, and the event it asks for.
    """

    white: Tensor
    events: Events
    offsets: Ints
    learned: Events
    starts: Ints
    lengths: Ints
    trained: Tensor
    hidden: Tensor
    valid_users: Ints
    valid: Ints


def moving_average(decay: float) -> Callable[[Tensor, Tensor, Tensor | int], Tensor]:
    """Average of weights over steps, for `AveragedModel`.

    The decay of step n is at most ``(1 + n) / (10 + n)``, so that the first steps are soon forgotten.
    """

    def averaged(average: Tensor, current: Tensor, step: Tensor | int) -> Tensor:
        count = int(step)
        return torch.lerp(average, current, 1 - min(decay, (1 + count) / (10 + count)))

    return averaged


class Trainer:
    """A training in progress.

    Parameters
    ----------
    model
        Initialised, on the device.
    material
        What it learns from.
    settings
        Derived.
    """

    def __init__(self, model: ProfileModel, material: Material, settings: TrainSettings) -> None:
        self.model = model
        self.material = material
        self.settings = settings
        self.optimizer = torch.optim.Adam(model.parameters(), settings.learning_rate, betas=(0.9, 0.98))
        # What is validated and kept is the moving average of the weights: less noise from the last few batches.
        self.average = AveragedModel(model, avg_fn=moving_average(settings.average))
        self.progress = Progress()
        self.best: dict[str, Tensor] = {}
        self._device = material.white.device
        self._bfloat16 = self._device.type == "cuda" or "avx512_bf16" in this_machine().features
        self._known = torch.zeros(len(material.white), 1, device=self._device)
        self._known[material.trained] = 1
        self._place = torch.zeros(len(material.white), dtype=torch.long, device=self._device)
        self._place[material.trained] = torch.arange(len(material.trained), device=self._device)

    def run(self, report: Callable[[Progress, float, float], None], save: Callable[[], None]) -> None:
        """Train until nothing gets better, the epochs are done or the time is up.

        Parameters
        ----------
        report
            Called after each validation with the progress, the loss and the NDCG@10.
        save
            Called after it, to write a checkpoint.
        """
        while not self._finished():
            started = time.monotonic()
            loss = self._epoch(self.progress.epoch)
            seconds = self.progress.seconds + time.monotonic() - started
            self.progress = replace(self.progress, epoch=self.progress.epoch + 1, seconds=seconds)
            if self.progress.epoch % VALIDATE_EVERY == 0 or self._finished():
                started = time.monotonic()
                ndcg = self._validate()
                self.progress = replace(self.progress, seconds=seconds + time.monotonic() - started)
                report(self.progress, loss, ndcg)
                save()
        if self.best:
            self.model.load_state_dict(self.best)
        self.model.eval()

    def _finished(self) -> bool:
        limit = self.settings.minutes
        return (
            self.progress.epoch >= self.settings.epochs
            or self.progress.stale >= self.settings.patience
            or (limit is not None and self.progress.seconds >= 60 * limit)
        )

    def _epoch(self, number: int) -> float:
        # All randomness comes from seed and epoch: a resumed training draws what an undisturbed one would.
        generator = np.random.default_rng((self.settings.seed, number))
        torch.manual_seed(int(generator.integers(2**62)))
        self.model.train()
        total = count = 0.0
        material = self.material
        for starts, lengths in batches(material.starts, material.lengths, self.settings.batch_events, generator):
            batch = gather(material.learned, starts, lengths)
            if not bool(batch.predicted.any()):
                continue
            loss = self._loss(batch)
            self.optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]  # PyTorch leaves it without annotations
            torch.nn.utils.clip_grad_norm_(self.model.parameters(), 5.0)
            self.optimizer.step()
            self.model.place_centres()
            self.average.update_parameters(self.model)
            total += loss.item()
            count += 1
        return total / max(count, 1)

    def _loss(self, batch: Batch) -> Tensor:
        # Items that are not to be learned keep a residual of zero: in histories too they are their texts.
        keep = self._known * (torch.rand(len(self._known), 1, device=self._device) >= self.settings.id_dropout)
        vectors = self.model.item_vectors(self.material.white, keep)
        # Indexing would add up gradients in the order in which threads come: no two runs would be alike on a CPU.
        inputs = F.embedding(batch.items, vectors)
        refiner = self.model.refiner
        states = refiner.encode(inputs, batch.types, batch.values, batch.gaps, batch.mask)
        query, _, _ = refiner.decode(states, batch.mask)
        candidates = vectors[self.material.trained]
        loss = self._softmax(query[batch.predicted], candidates, self._place[batch.targets[batch.predicted]])
        if not self.settings.profile_weight:
            return loss
        rows = torch.randperm(len(states), device=self._device)[: max(1, round(PROFILE_SHARE * len(states)))]
        predicted = batch.predicted[rows]
        if not bool(predicted.any()):
            return loss
        longing = refiner.longing(states[rows], batch.mask[rows])[predicted]
        wanted = self._place[batch.targets[rows][predicted]]
        return loss + self.settings.profile_weight * self._softmax(longing, candidates.detach(), wanted)

    def _softmax(self, queries: Tensor, candidates: Tensor, targets: Tensor) -> Tensor:
        if not self.settings.negatives:
            return full_softmax(queries, candidates, targets, bfloat16=self._bfloat16)
        negatives = torch.randint(len(candidates), (self.settings.negatives,), device=self._device)
        return sampled_softmax(queries, candidates, targets, negatives)

    def _validate(self) -> float:
        cast(ProfileModel, self.average.module).place_centres()
        ndcg = float(per_user(self._valid_places())["ndcg@10"].mean()) if len(self.material.valid) else 0.0
        unknown = not len(self.material.valid)  # with nobody to validate on, the last epoch is as good as any
        if ndcg > self.progress.best or unknown:
            self.best = {name: tensor.clone() for name, tensor in self.average.module.state_dict().items()}
            self.progress = replace(self.progress, best=ndcg, best_epoch=self.progress.epoch, stale=0)
        else:
            self.progress = replace(self.progress, stale=self.progress.stale + 1)
        return ndcg

    @torch.inference_mode()
    def _valid_places(self) -> Ints:
        """Place of each validation target among the items that its user has not met."""
        material = self.material
        model = cast(ProfileModel, self.average.module.eval())
        vectors = model.item_vectors(material.white)
        first = material.offsets[material.valid_users]
        queries = last_queries(model.refiner, vectors, material.events, first, material.valid)
        numbers = torch.arange(len(vectors), device=self._device)
        found = np.zeros(len(material.valid), np.int64)
        for start in range(0, len(found), BATCH_USERS):
            rows = slice(start, start + BATCH_USERS)
            scores = queries[rows] @ vectors.T
            owner, met = self._met(first[rows], material.valid[rows])
            scores[owner, met] = -torch.inf
            scores[:, material.hidden] = -torch.inf
            targets = material.events.items[torch.from_numpy(material.valid[rows]).to(self._device)]
            wanted = scores.gather(1, targets[:, None])
            ahead = (scores > wanted) | ((scores == wanted) & (numbers < targets[:, None]))  # ties as a search has them
            found[rows] = ahead.sum(1).where(torch.isfinite(wanted[:, 0]), DEPTH).cpu().numpy()
        return found

    def _met(self, first: Ints, stop: Ints) -> tuple[Tensor, Tensor]:
        counts = stop - first
        owner = np.repeat(np.arange(len(first)), counts)
        places = np.repeat(first - (np.cumsum(counts) - counts), counts) + np.arange(len(owner))
        items = self.material.events.items[torch.from_numpy(places).to(self._device)]
        return torch.from_numpy(owner).to(self._device), items
