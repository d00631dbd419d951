"""Training without parts of the model."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from engine_models.ablation import leave_out, parts_of
from engine_models.model import ProfileModel, load_model
from engine_models.settings import TrainSettings, derive
from engine_models.training import Where, train
from engine_runtime.artefacts.dataset import Dataset
from engine_runtime.artefacts.encoder import EncoderArtefact
from engine_runtime.artefacts.run import RefinerShape
from engine_runtime.errors import UsageError

SHAPE = RefinerShape(8, 6, 8, 1, 2, 5, 1, 4)


@pytest.mark.parametrize(
    ("without", "parts"), [("", ()), ("id", ("id",)), ("decoder, text", ("text", "decoder")), ("text,text", ("text",))]
)
def test_parts_are_named_with_commas(without: str, parts: tuple[str, ...]) -> None:
    """Order, blanks and repetition do not matter."""
    assert parts_of(without) == parts


@pytest.mark.parametrize(
    ("without", "message"), [("voice", "there are text, id, decoder"), ("id,text", "nothing is left")]
)
def test_what_cannot_be_left_out_is_refused(without: str, message: str) -> None:
    """An unknown part, or all that an item is known by, is the user's mistake."""
    with pytest.raises(UsageError, match=message):
        derive(TrainSettings(without=without), 100, 1000, 50)


def test_recipe_follows_what_is_left() -> None:
    """Without text no residual is dropped; without decoder the profile has no loss."""
    settings = derive(TrainSettings(without="text,decoder"), 100, 1000, 50)
    assert (settings.id_dropout, settings.profile_weight) == (0, 0)
    whole = derive(TrainSettings(), 100, 1000, 50)
    assert (whole.id_dropout, whole.profile_weight) == (TrainSettings.id_dropout, TrainSettings.profile_weight)


def test_without_text_or_id_the_other_makes_the_vector() -> None:
    """An item vector is the residual alone, or the text's alone."""
    white = torch.randn(3, 6)
    for without in ("text", "id"):
        model = ProfileModel(SHAPE, 3)
        torch.nn.init.normal_(model.head.residual)
        expected = model.head.residual.clone() if without == "text" else model.head(white)
        leave_out(model, without)
        assert torch.equal(model.item_vectors(white), expected)


def test_without_decoder_the_query_is_the_state() -> None:
    """The query is the norm of h, whatever the concepts say."""
    model = ProfileModel(SHAPE, 3)
    leave_out(model, "decoder")
    states = torch.randn(2, 5, 8)
    query, _, _ = model.refiner.decode(states, torch.ones(2, 5))
    assert torch.equal(query, model.refiner.query_norm(states))


@pytest.mark.usefixtures("hashing")
@pytest.mark.parametrize("without", ["text,decoder", "id"])
def test_training_leaves_zero_what_is_left_out(
    without: str, dataset: Dataset, encoder: EncoderArtefact, recipe: TrainSettings, tmp_path: Path
) -> None:
    """After training the weights are still zero, and the run says what it lacks."""
    run = train(dataset, encoder, Where(tmp_path / "run"), replace(recipe, epochs=2, without=without))
    assert run.info.settings["without"] == without
    model = load_model(run)
    assert bool(model.head.project.weight.any()) == ("text" not in without)
    assert bool(model.head.residual.any()) == (without != "id")
    assert bool(model.refiner.gain.weight.any()) == ("decoder" not in without)
    assert np.isfinite(np.load(run.vectors)).all()
    assert np.load(run.vectors).any()
