"""From a data set and an encoder to a run: the order of the steps, each of which is done elsewhere.

The text vectors are those of the very encoder variant that will serve, so its quantization noise is part of what the
refiner learns from.
"""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow.parquet as pq
import torch

from engine_models.ablation import leave_out
from engine_models.checkpoint import CheckpointInfo, Progress, read_checkpoint, write_checkpoint
from engine_models.cold import draw, item_table
from engine_models.concepts import encode_concepts, name_concepts, spherical_kmeans
from engine_models.corpus import Corpus, events_of, read_corpus
from engine_models.memory import keep_freed_memory
from engine_models.model import ProfileModel, save_weights
from engine_models.settings import TrainSettings, derive, shape_of
from engine_models.split import Ints, drawn
from engine_models.successors import count_successors, successor_table
from engine_models.trainer import Material, Trainer
from engine_models.weighing import fuse
from engine_models.windows import cut_windows
from engine_runtime.artefacts import run as layout
from engine_runtime.artefacts.dataset import Dataset
from engine_runtime.artefacts.encoder import EncoderArtefact
from engine_runtime.artefacts.run import Run, RunInfo
from engine_runtime.artefacts.writing import check_free, drafting
from engine_runtime.inference.encoder import TextEncoder
from engine_runtime.inference.machine import choose_precision, this_machine
from engine_runtime.search.index import Floats
from engine_runtime.search.newcomers import Newcomers
from engine_runtime.search.successors import SuccessorTable

RESIDUAL_STD = 0.02

Report = Callable[[str], None]


@dataclass(frozen=True)
class Where:
    """Where a training puts things.

    Attributes
    ----------
    out
        The run.
    replace
        Whether a run at `out` may be replaced.
    resume
        Whether to go on from the checkpoint of a training that was stopped.
    cache
        Folder where vectors of texts are kept from run to run.
    """

    out: Path
    replace: bool = False
    resume: bool = False
    cache: Path | None = None

    @property
    def checkpoint(self) -> Path:
        """State of the training while it goes on; removed at its end."""
        return self.out.with_name(self.out.name + ".checkpoint")


def train(
    dataset: Dataset,
    encoder: EncoderArtefact,
    where: Where,
    settings: TrainSettings,
    *,
    precision: str = "auto",
    device: torch.device | None = None,
    report: Report = lambda message: None,
) -> Run:
    """Train a run.

    Parameters
    ----------
    dataset, encoder
        What it learns from.
    where
        Paths.
    settings
        The recipe; None in it is derived.
    precision
        Variant of the encoder to train on; "auto" is the best that this machine runs exactly.
    device
        Where to train; the CPU if None.
    report
        Told what happens, a line at a time.

    Raises
    ------
    InputError
        The data set holds no history to learn from.
    UsageError
        Something is at `where` that may not be replaced, or the settings do not go together.
    """
    check_free(where.out, layout.KIND, replace=where.replace)
    keep_freed_memory()
    corpus = read_corpus(dataset)
    if settings.withhold:
        corpus = corpus.withholding(draw(corpus.popularity > 0, settings.withhold, settings.seed))
    settings = derive(settings, len(corpus.trained), int(corpus.popularity.sum()), corpus.n_learned)
    chosen = choose_precision(precision, encoder.info.precisions, "int8", encoder.info.requires, this_machine())
    report(f"encoding {len(corpus.texts):,} item texts with the {chosen} encoder")
    text = TextEncoder.open(encoder, chosen, cache=where.cache).encode(corpus.texts)
    model = initial_model(settings, text, corpus.trained, len(dataset.info.event_types))
    trainer = Trainer(model, _material(model, dataset, corpus, text, settings, device), settings)
    parents = {"dataset": dataset.manifest.digest, "encoder": encoder.manifest.digest}
    log = _fit(trainer, chosen, where, parents, report)
    report("weighing texts and successions beside the model")
    table = successor_table(count_successors(*corpus.training_part(), len(text)), corpus.popularity)
    vectors, newcomers = item_table(trainer.model, trainer.material.white, corpus.popularity > 0)
    fusion, metrics = fuse(trainer, corpus, table, vectors, newcomers)
    info = RunInfo(
        shape=trainer.model.refiner.shape,
        settings={name: value for name, value in dataclasses.asdict(trainer.settings).items() if value is not None},
        encoder_path=str(encoder.root.absolute()),
        dataset_path=str(dataset.root.absolute()),
        precision=chosen,
        value=dataset.info.value,
        gap=dataset.info.gap,
        event_types=dataset.info.event_types,
        event_weights=dataset.info.event_weights,
        fusion=fusion,
        validation=metrics,
        epochs=trainer.progress.epoch,
        best_epoch=trainer.progress.best_epoch,
        train_seconds=trainer.progress.seconds,
    )
    named = _named(trainer.model, corpus, vectors, settings.name_users)
    run = _write(trainer.model, corpus, table, vectors, newcomers, named, info, parents, log, where)
    shutil.rmtree(where.checkpoint, ignore_errors=True)
    return run


def initial_model(settings: TrainSettings, text: npt.NDArray[np.float32], trained: Ints, n_types: int) -> ProfileModel:
    """A model before its first step: whitening fitted, residuals of trained items small, centres from k-means."""
    torch.manual_seed(settings.seed)
    shape = shape_of(settings, text.shape[1], n_types)
    model = ProfileModel(shape, len(text), settings.dropout or 0.0)
    model.head.fit_whitening(text[trained])
    with torch.no_grad():
        model.head.residual[trained] = torch.randn(len(trained), shape.dim) * RESIDUAL_STD
        white = model.head.whiten(torch.from_numpy(text[trained])).numpy()
        centres = spherical_kmeans(white, shape.n_concepts, np.random.default_rng(settings.seed))
        model.concepts.copy_(torch.from_numpy(centres))
    leave_out(model, settings.without)
    model.place_centres()
    return model


def _material(
    model: ProfileModel,
    dataset: Dataset,
    corpus: Corpus,
    text: npt.NDArray[np.float32],
    settings: TrainSettings,
    device: torch.device | None,
) -> Material:
    device = device or torch.device("cpu")
    model.to(device)
    split = corpus.split
    events = events_of(split, dataset.info.value, dataset.info.gap, device)
    shown = ~corpus.withheld[split.histories.items]
    before = np.concatenate(([0], np.cumsum(shown)))
    starts, lengths = cut_windows(
        before[split.histories.offsets[:-1]], before[split.train_stops], settings.max_events or 1
    )
    sample = drawn(len(split.users), settings.validation_users, settings.seed)
    with torch.no_grad():
        white = model.head.whiten(torch.from_numpy(text).to(device))
    return Material(
        white=white,
        events=events,
        offsets=split.histories.offsets,
        learned=events.where(torch.from_numpy(shown).to(device)),
        starts=starts,
        lengths=lengths,
        trained=torch.from_numpy(corpus.trained).to(device),
        hidden=torch.from_numpy(np.flatnonzero(~corpus.rankable)).to(device),
        valid_users=split.users[sample],
        valid=split.valid[sample],
    )


def _fit(trainer: Trainer, precision: str, where: Where, parents: dict[str, str], report: Report) -> bytes:
    """Run the loop with its checkpoints; return the log, a JSON document a line."""
    modules = {"model": trainer.model, "average": trainer.average}
    start = CheckpointInfo(trainer.progress, dataclasses.asdict(trainer.settings) | {"precision": precision})
    log: list[dict[str, float | int]] = []

    def told(progress: Progress, loss: float, ndcg: float) -> None:
        log.append({"epoch": progress.epoch, "loss": loss, "ndcg@10": ndcg, "seconds": progress.seconds})
        report(
            f"epoch {progress.epoch}: loss {loss:.4f}, validation NDCG@10 {ndcg:.4f} "
            f"(best {progress.best:.4f} at {progress.best_epoch}), {progress.seconds:.0f} s"
        )

    def save() -> None:
        info = dataclasses.replace(start, progress=trainer.progress, log=tuple(log))
        write_checkpoint(where.checkpoint, modules, trainer.optimizer, trainer.best, info, parents)

    if where.resume:
        found = read_checkpoint(where.checkpoint, modules, trainer.optimizer, start, parents)
        if found:
            reached, trainer.best = found
            trainer.progress = reached.progress
            log += reached.log
        report(f"going on after epoch {trainer.progress.epoch}" if found else "no checkpoint of this training: afresh")
    trainer.run(told, save)
    return b"".join(msgspec.json.encode(line) + b"\n" for line in log)


def _named(model: ProfileModel, corpus: Corpus, vectors: Floats, least_users: int) -> bytes:
    """The concepts as JSON, named after items that at least so many users have met: k-anonymity, Sweeney 2002."""
    directions = vectors[corpus.rankable, model.refiner.shape.dim :]
    naming = corpus.n_users[corpus.rankable] >= least_users
    return encode_concepts(name_concepts(model.concepts.cpu().numpy(), directions, corpus.described(), naming))


def _write(
    model: ProfileModel,
    corpus: Corpus,
    table: SuccessorTable,
    vectors: Floats,
    newcomers: Newcomers,
    named: bytes,
    info: RunInfo,
    parents: dict[str, str],
    log: bytes,
    where: Where,
) -> Run:
    with drafting(where.out, layout.KIND, replace=where.replace) as draft:
        save_weights(model.cpu(), draft.path / layout.WEIGHTS_FILE)
        np.save(draft.path / layout.VECTORS_FILE, vectors)
        newcomers.save(draft.path / layout.NEWCOMERS_FILE)
        pq.write_table(corpus.item_ids, draft.path / layout.ITEMS_FILE)
        table.save(draft.path / layout.SUCCESSORS_FILE)
        (draft.path / layout.CONCEPTS_FILE).write_bytes(named)
        (draft.path / layout.LOG_FILE).write_bytes(log)
        draft.seal(info, parents)
    return Run.open(where.out)
