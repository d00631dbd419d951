"""The engine's refiner as a contender."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import msgspec
import numpy as np
import pytest

from engine_bench.refiners.contest import Given
from engine_bench.refiners.engine_contender import load
from engine_bench.refiners.entry import _inputs
from engine_models.systems import learned_vectors
from engine_runtime.artefacts.bundle import Bundle
from engine_runtime.artefacts.dataset import Dataset
from engine_runtime.artefacts.run import Run


@pytest.fixture
def folder(bundle: Bundle, trained: Run, visited: Dataset, tmp_path: Path) -> str:
    """What a contest leaves for its contenders."""
    inputs = _inputs(visited, bundle.info, 9)
    given = Given(bundle.info.shape, str(bundle.root), str(trained.root))
    (tmp_path / "given.json").write_bytes(msgspec.json.encode(given))
    arrays = {field.name: getattr(inputs, field.name) for field in fields(inputs)}
    np.savez(tmp_path / "inputs.npz", vectors=learned_vectors(trained), **arrays)
    return str(tmp_path)


def test_graph_and_network_agree(folder: str, bundle: Bundle) -> None:
    """Query and profile of the float32 graph are those of the network in PyTorch, user by user."""
    _, graph = load(folder, "fp32")
    settings, network = load(folder, "torch")
    ours, theirs = graph(), network()
    assert ours["query"].shape == (9, bundle.info.shape.dim)
    for name in ("query", "profile"):
        np.testing.assert_allclose(ours[name], theirs[name], atol=1e-4)
    assert settings.startswith("PyTorch")


def test_search_is_on_top_of_refining(folder: str) -> None:
    """The variant with the ten best items refines as the one without does, and says that it searches."""
    settings, searching = load(folder, "int8-top10")
    assert "10 best items" in settings
    np.testing.assert_array_equal(searching()["query"], load(folder, "int8")[1]()["query"])
