"""The weights of texts and successions beside a trained model."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from engine_models.settings import TrainSettings
from engine_models.training import Where, train
from engine_runtime.artefacts.encoder import EncoderArtefact
from engine_runtime.artefacts.run import Run
from shops import EVENTS, ITEMS, Shop

pytestmark = pytest.mark.usefixtures("hashing")


def test_what_is_fitted_ranks_no_worse_than_the_model_alone(trained: Run) -> None:
    """Weights of 0 are among those that are tried, so that the validation events gain or stay."""
    assert trained.info.validation["ndcg@10"] >= trained.info.validation["model_ndcg@10"]


def test_short_histories_train_without_validation(
    tmp_path: Path, encoder: EncoderArtefact, recipe: TrainSettings
) -> None:
    """A data set in which nobody has three events gives a run, its fusion without the rule."""
    rows = "\n".join(f"u{user},{'abc'[user % 3]},{user}\nu{user},{'bca'[user % 3]},{user + 9}" for user in range(6))
    config = EVENTS + 'time_format = "seconds"\n' + ITEMS
    small = Shop(tmp_path).ingest("user,item,time\n" + rows, config=config)
    run = train(small, encoder, Where(tmp_path / "run"), replace(recipe, epochs=2))
    assert run.info.fusion.weight == 0
    assert set(run.info.validation.values()) == {0.0}
