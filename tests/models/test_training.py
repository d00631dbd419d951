"""From a planted data set to a run, end to end."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch

from engine_models import training
from engine_models.corpus import Corpus
from engine_models.model import load_model
from engine_models.settings import TrainSettings
from engine_models.training import Where, _named, initial_model, train
from engine_runtime.artefacts.dataset import Dataset
from engine_runtime.artefacts.encoder import EncoderArtefact
from engine_runtime.artefacts.run import LOG_FILE, Run
from engine_runtime.errors import InputError, UsageError
from engine_runtime.search.newcomers import Newcomers
from engine_runtime.search.successors import SuccessorTable
from planted import KINDS, WIDTH, HashingEncoder, write_encoder
from shops import EVENTS, ITEMS, Shop

pytestmark = pytest.mark.usefixtures("hashing")


class KilledError(Exception):
    """Stands for a kill."""


def test_run_holds_what_serving_needs(trained: Run, dataset: Dataset, encoder: EncoderArtefact, corpus: Corpus) -> None:
    """A run names its parents, settings and shape, and its tables agree with the catalogue."""
    info = trained.info
    assert trained.manifest.parents == {"dataset": dataset.manifest.digest, "encoder": encoder.manifest.digest}
    assert info.precision == "fp32"
    assert info.shape.text_dim == info.shape.white_dim == WIDTH
    assert info.settings["negatives"] == 0
    assert (info.event_types, info.value, info.gap) == (dataset.info.event_types, dataset.info.value, dataset.info.gap)
    assert 0 < info.best_epoch <= info.epochs
    assert pq.read_table(trained.items).equals(corpus.item_ids)
    vectors = np.load(trained.vectors, allow_pickle=False)
    white = load_model(trained).head.whiten(
        torch.from_numpy(HashingEncoder(Path(), Path(), encoder.info).encode(corpus.texts))
    )
    assert vectors.shape == (len(corpus.texts), info.shape.item_dim)
    known, learned = corpus.popularity > 0, vectors[:, : info.shape.dim]
    with torch.no_grad():
        assert np.allclose(load_model(trained).item_vectors(white).numpy()[known], learned[known], atol=1e-4)
    assert Newcomers.load(trained.newcomers).items.tolist() == np.flatnonzero(~known).tolist()
    assert SuccessorTable.load(trained.successors).start_row == len(corpus.texts)


def test_concepts_have_names(trained: Run) -> None:
    """Each concept of a run has a name of its own."""
    names = [concept["name"] for concept in json.loads(trained.concepts.read_text())]
    assert len(names) == len(set(names)) == trained.info.shape.n_concepts
    assert all(names)


def test_concepts_are_named_after_what_many_have_met(trained: Run, corpus: Corpus) -> None:
    """Were more users asked for than any item has, all concepts would have numbers."""
    model, vectors = load_model(trained), np.load(trained.vectors, allow_pickle=False)
    names = [concept["name"] for concept in json.loads(_named(model, corpus, vectors, corpus.n_users.max() + 1))]
    assert names == [f"concept {number}" for number in range(1, trained.info.shape.n_concepts + 1)]
    assert _named(model, corpus, vectors, 5) == trained.concepts.read_bytes()


def test_successor_table_is_of_the_training_part(trained: Run, corpus: Corpus) -> None:
    """No weight of the table comes from a validation or test event."""
    table = SuccessorTable.load(trained.successors)
    items, offsets = corpus.training_part()
    pairs = {
        (int(items[first]), int(items[later]))
        for start, stop in pairwise(offsets)
        for first in range(start, stop)
        for later in range(first + 1, stop)
    }
    which, successors, _ = table.lookup(np.arange(table.start_row))
    assert set(zip(which.tolist(), successors.tolist(), strict=True)) == pairs


def test_log_and_validation_agree(trained: Run) -> None:
    """The log has a line for each validation, the best of which is the best epoch's."""
    lines = [json.loads(line) for line in (trained.root / LOG_FILE).read_text().splitlines()]
    best = max(lines, key=lambda line: line["ndcg@10"])
    assert [line["epoch"] for line in lines][-1] == trained.info.epochs
    assert best["epoch"] == trained.info.best_epoch
    assert trained.info.validation["model_ndcg@10"] == pytest.approx(best["ndcg@10"], abs=0.02)


def test_stopped_training_resumes_bit_for_bit(
    tmp_path: Path, dataset: Dataset, encoder: EncoderArtefact, recipe: TrainSettings
) -> None:
    """A training killed after a validation and resumed ends with weights, log and fusion of one undisturbed."""
    settings = replace(recipe, epochs=6)
    undisturbed = train(dataset, encoder, Where(tmp_path / "undisturbed"), settings)

    def kill(message: str) -> None:
        if message.startswith("epoch 4"):
            raise KilledError

    where = Where(tmp_path / "run", resume=True)
    with pytest.raises(KilledError):
        train(dataset, encoder, where, settings, report=kill)
    assert where.checkpoint.is_dir()
    assert not where.out.exists()
    said: list[str] = []
    resumed = train(dataset, encoder, where, settings, report=said.append)
    assert "going on after epoch 2" in said
    assert not where.checkpoint.exists()
    assert resumed.weights.read_bytes() == undisturbed.weights.read_bytes()
    assert resumed.vectors.read_bytes() == undisturbed.vectors.read_bytes()
    assert resumed.info.fusion == undisturbed.info.fusion
    assert resumed.info.best_epoch == undisturbed.info.best_epoch

    def log(run: Run) -> list[tuple[int, float, float]]:
        lines = map(json.loads, (run.root / LOG_FILE).read_text().splitlines())
        return [(line["epoch"], line["loss"], line["ndcg@10"]) for line in lines]

    assert log(resumed) == log(undisturbed)
    assert [epoch for epoch, _, _ in log(resumed)] == [2, 4, 6]


def test_other_settings_or_variant_train_afresh(tmp_path: Path, dataset: Dataset, recipe: TrainSettings) -> None:
    """A checkpoint of other settings, or of another variant of the encoder, is not gone on from."""
    both = write_encoder(tmp_path / "encoder", ("int8", "fp32"))
    settings = replace(recipe, epochs=4)

    def kill(message: str) -> None:
        if message.startswith("weighing"):
            raise KilledError

    def resumed_from(settings: TrainSettings, precision: str) -> str:
        said: list[str] = []

        def report(message: str) -> None:
            said.append(message)
            if message.startswith("weighing"):
                raise KilledError

        with pytest.raises(KilledError):
            train(dataset, both, where, settings, precision=precision, report=report)
        return next(message for message in said if "afresh" in message or "going on" in message)

    where = Where(tmp_path / "run", resume=True)
    with pytest.raises(KilledError):
        train(dataset, both, where, settings, precision="int8", report=kill)
    assert resumed_from(settings, "int8") == "going on after epoch 4"
    assert "afresh" in resumed_from(settings, "fp32")
    assert "afresh" in resumed_from(replace(settings, seed=1), "fp32")


def test_a_taken_path_is_refused_before_the_work(
    monkeypatch: pytest.MonkeyPatch, trained: Run, dataset: Dataset, encoder: EncoderArtefact, recipe: TrainSettings
) -> None:
    """A run that may not be replaced is said to be in the way before anything is encoded or trained."""
    monkeypatch.setattr(training, "TextEncoder", None)
    with pytest.raises(UsageError, match="exists already"):
        train(dataset, encoder, Where(trained.root), recipe)


def test_vectors_are_kept_where_it_is_asked(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, dataset: Dataset, encoder: EncoderArtefact, recipe: TrainSettings
) -> None:
    """The folder for vectors goes to the encoder, with the variant that is trained on."""

    def opened(artefact: EncoderArtefact, precision: str, *, cache: Path | None = None) -> HashingEncoder:
        raise KilledError(f"{artefact.root} {precision} {cache}")

    monkeypatch.setattr(HashingEncoder, "open", opened)
    monkeypatch.setattr(training, "TextEncoder", HashingEncoder)
    with pytest.raises(KilledError, match=f"{encoder.root} fp32 {tmp_path / 'cache'}"):
        train(dataset, encoder, Where(tmp_path / "run", cache=tmp_path / "cache"), recipe)


def test_a_run_may_be_replaced(
    tmp_path: Path, dataset: Dataset, encoder: EncoderArtefact, recipe: TrainSettings
) -> None:
    """With `replace`, a second training takes the place of the first."""
    settings = replace(recipe, epochs=1)
    first = train(dataset, encoder, Where(tmp_path / "run"), settings)
    second = train(dataset, encoder, Where(tmp_path / "run", replace=True), replace(settings, seed=1))
    assert second.manifest.digest != first.manifest.digest
    assert second.info.settings["seed"] == 1
    assert second.info.epochs == 1


def test_sampled_training_of_few_users(
    tmp_path: Path, dataset: Dataset, encoder: EncoderArtefact, recipe: TrainSettings
) -> None:
    """With sampled negatives and a sample of validation users, a run comes about as well."""
    settings = replace(recipe, epochs=2, negatives=16, validation_users=10)
    run = train(dataset, encoder, Where(tmp_path / "run"), settings)
    assert run.info.settings["negatives"] == 16
    assert run.info.validation["ndcg@10"] > 0


def test_nothing_to_learn_from(tmp_path: Path, encoder: EncoderArtefact, recipe: TrainSettings) -> None:
    """A data set without histories is refused."""
    config = EVENTS + 'time_format = "seconds"\n' + ITEMS
    single = Shop(tmp_path).ingest("user,item,time\nu,a,1\nv,b,2\n", config=config)
    with pytest.raises(InputError, match="no history to learn from"):
        train(single, encoder, Where(tmp_path / "run"), recipe)


def test_model_begins_among_the_items(dataset: Dataset, corpus: Corpus, encoder: EncoderArtefact) -> None:
    """Before the first step the centres are points of the item space, each nearest to the items of one kind."""
    text = HashingEncoder(Path(), Path(), encoder.info).encode(corpus.texts)
    settings = TrainSettings(dim=16, max_events=50, n_concepts=len(KINDS))
    model = initial_model(settings, text, corpus.trained, 1)
    again = initial_model(settings, text, corpus.trained, 1)
    assert all(torch.equal(value, again.state_dict()[name]) for name, value in model.state_dict().items())
    with torch.no_grad():
        vectors = model.head(model.head.whiten(torch.from_numpy(text[corpus.trained])))
        distance = torch.cdist(model.refiner.centres, vectors).min(1).values
    assert float(distance.max()) < float(torch.cdist(vectors, vectors).mean())
    assert np.array_equal(np.flatnonzero(model.head.residual.any(1).numpy()), corpus.trained)
