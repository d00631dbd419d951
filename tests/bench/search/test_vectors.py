"""What is searched and what is asked."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from engine_bench.search.vectors import of_index, synthetic
from engine_runtime import Engine
from engine_runtime.artefacts.bundle import Bundle
from engine_runtime.artefacts.dataset import Dataset
from engine_runtime.artefacts.index import IndexArtefact
from engine_runtime.data.stored import read_histories
from engine_runtime.errors import ArtefactError, InputError
from engine_runtime.search.building import IndexSettings
from engine_runtime.serve.indexing import make_index


@pytest.fixture(scope="module")
def index(bundle: Bundle, visited: Dataset, tmp_path_factory: pytest.TempPathFactory) -> IndexArtefact:
    out = tmp_path_factory.mktemp("searched") / "index"
    return make_index(Engine.load(bundle.root), visited, out, IndexSettings())


def test_a_seed_says_all() -> None:
    """The same seed gives the same vectors, another one others."""
    one, same, other = (synthetic(500, 16, 40, seed) for seed in (1, 1, 2))
    assert one.items.tobytes() == same.items.tobytes()
    assert one.queries.tobytes() == same.queries.tobytes()
    assert one.items.tobytes() != other.items.tobytes()
    assert (one.items.shape, one.queries.shape) == ((500, 16), (40, 16))
    assert {rows.dtype.name for rows in (one.items, one.queries)} == {"float32"}
    assert "seed 1" in one.origin


def test_synthetic_vectors_are_as_ours_are() -> None:
    """They lie in clusters, have a common part, and their norms vary."""
    items = synthetic(3000, 64, 10, 1).items
    norms = np.linalg.norm(items, axis=1)
    assert 0.08 < norms.std() / norms.mean() < 0.2
    assert 0.2 < np.linalg.norm(items.mean(axis=0)) / norms.mean() < 0.4
    centred = items - items.mean(axis=0)
    centred /= np.linalg.norm(centred, axis=1, keepdims=True)
    alike = centred[:200] @ centred.T
    np.put_along_axis(alike, np.arange(200)[:, None], -1, axis=1)
    assert alike.max(axis=1).mean() > 0.5


def test_an_index_is_asked_by_its_users(index: IndexArtefact, bundle: Bundle, visited: Dataset) -> None:
    """Its rankable vectors are searched, each user asks once."""
    field = of_index(index.root, bundle.root, visited.root, 30)
    assert field.items.shape == (index.info.n_rankable, index.info.dim)
    assert len(field.queries) == 30
    everyone = Engine.load(bundle.root, index.root).profile(read_histories(visited)).query
    assert np.sort(field.queries, axis=0) == pytest.approx(np.sort(everyone, axis=0), abs=1e-6)
    assert index.manifest.digest[:12] in field.origin


def test_fewer_users_than_asked_for(index: IndexArtefact, bundle: Bundle, visited: Dataset) -> None:
    """All are taken."""
    field = of_index(index.root, bundle.root, visited.root, 2000)
    assert len(field.queries) == 30


def test_what_does_not_belong_together(
    index: IndexArtefact, bundle: Bundle, visited: Dataset, dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another data set is refused, and one with too few users."""
    with pytest.raises(ArtefactError, match="dataset"):
        of_index(index.root, bundle.root, dataset.root, 30)
    monkeypatch.setattr("engine_bench.search.vectors.LEAST_QUERIES", 31)
    with pytest.raises(InputError, match="30 users"):
        of_index(index.root, bundle.root, Path(visited.root), 30)
