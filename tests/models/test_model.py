"""The model as a whole, and its way to and from a run."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from engine_models.corpus import Corpus
from engine_models.model import ProfileModel, load_model, pick_device, save_weights
from engine_runtime.artefacts.run import RefinerShape, Run
from engine_runtime.errors import MachineError

SHAPE = RefinerShape(12, 6, 8, 1, 2, 5, 2, 4)


@pytest.fixture
def model() -> ProfileModel:
    torch.manual_seed(0)
    made = ProfileModel(SHAPE, 7, 0.3)
    torch.nn.init.normal_(made.head.residual)
    return made


def test_item_vector_is_text_plus_residual(model: ProfileModel) -> None:
    """An item's vector is that of its text with its residual added."""
    white = torch.randn(7, 6)
    assert torch.equal(model.item_vectors(white), model.head(white) + model.head.residual)


def test_item_without_residual_works_from_its_text(model: ProfileModel) -> None:
    """Where a residual is dropped, the vector is what a new item with that text would have."""
    white = torch.randn(7, 6)
    keep = torch.tensor([1.0, 0, 1, 0, 1, 0, 1])[:, None]
    vectors = model.item_vectors(white, keep)
    assert torch.equal(vectors[1::2], model.head(white)[1::2])
    assert torch.equal(vectors[::2], model.item_vectors(white)[::2])


def test_weights_survive_the_run(model: ProfileModel, trained: Run, tmp_path: Path) -> None:
    """A model read from a run has the weights that were saved, and is in evaluation mode."""
    save_weights(model, tmp_path / "model.safetensors")
    run = Run(tmp_path, trained.manifest, replace(trained.info, shape=SHAPE))
    loaded = load_model(run)
    assert not loaded.training
    assert all(torch.equal(loaded.state_dict()[name], value) for name, value in model.state_dict().items())


def test_items_out_of_training_have_no_residual(trained: Run, corpus: Corpus) -> None:
    """A run keeps the residual of an item without training events at exactly zero."""
    residual = load_model(trained).head.residual
    seen = torch.zeros(len(residual), dtype=torch.bool)
    seen[corpus.trained] = True
    assert not bool(residual[~seen].any())
    assert bool((residual[seen] != 0).any(1).all())
    assert int((~seen).sum()) >= 2


def test_device_is_what_there_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """``auto`` takes CUDA where there is one; CUDA where there is none is the machine's fault."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert pick_device("auto").type == pick_device("cuda").type == "cuda"
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert pick_device("auto").type == pick_device("cpu").type == "cpu"
    with pytest.raises(MachineError, match="no CUDA device"):
        pick_device("cuda")
