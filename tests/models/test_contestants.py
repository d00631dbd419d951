"""Runs and bundles as an evaluation's systems."""

from __future__ import annotations

import numpy as np
import pytest

from engine_models.contestants import ALONE, WHOLE, directions_of, open_entries, systems_of
from engine_models.corpus import Corpus
from engine_runtime.artefacts.dataset import Dataset
from engine_runtime.artefacts.run import Run
from engine_runtime.errors import ArtefactError, UsageError
from planted import Served

pytestmark = pytest.mark.usefixtures("hashing")


def test_seeds_share_a_recipe(trained: Run, second: Run, served: Served, dataset: Dataset) -> None:
    """Runs that differ in the seed alone, and the bundles made of them, have one recipe; each bundle has its index."""
    entries = open_entries([trained.root, second.root, *served.bundles], served.indexes[::-1], dataset)
    assert len({entry.recipe for entry in entries}) == 1
    assert [entry.index for entry in entries] == [None, None, *served.indexes]


def test_bundles_without_their_runs_stand_alone(served: Served, dataset: Dataset) -> None:
    """What a bundle was trained with stands in its run: without it nothing is taken for a seed."""
    entries = open_entries(served.bundles, served.indexes, dataset)
    assert len({entry.recipe for entry in entries}) == 2


def test_a_bundle_needs_its_own_index(served: Served, dataset: Dataset) -> None:
    """No index, or one of another bundle, is an error that says so."""
    with pytest.raises(UsageError, match="--index"):
        open_entries(served.bundles[:1], [], dataset)
    with pytest.raises(ArtefactError, match="made from the bundle"):
        open_entries(served.bundles[:1], served.indexes[1:], dataset)


def test_rows_name_recipes_where_there_are_several(
    trained: Run, served: Served, dataset: Dataset, corpus: Corpus
) -> None:
    """One recipe needs no name; of several, each row begins with the directories."""
    alone = open_entries([trained.root], [], dataset)
    assert list(systems_of(alone, corpus, "auto")) == [ALONE, WHOLE]
    both = open_entries([trained.root, served.bundles[1]], served.indexes[1:], dataset)
    assert list(systems_of(both, corpus, "auto")) == [
        f"run: {ALONE}",
        f"run: {WHOLE}",
        "bundle-second: as served, int8 hnsw",
    ]


def test_directions_are_those_of_the_run(trained: Run, dataset: Dataset) -> None:
    """Whitened texts come at unit length, one for each item of the catalogue."""
    (entry,) = open_entries([trained.root], [], dataset)
    directions = directions_of(entry)
    assert directions.shape == (dataset.info.n_items, trained.info.shape.white_dim)
    assert np.allclose(np.linalg.norm(directions, axis=1), 1, atol=1e-4)


def test_a_bundle_s_directions_are_in_its_index(served: Served, dataset: Dataset, trained: Run) -> None:
    """Where no run is named, the index of the bundle has the texts."""
    (entry,) = open_entries(served.bundles[:1], served.indexes[:1], dataset)
    assert np.array_equal(directions_of(entry), np.load(trained.vectors)[:, trained.info.shape.dim :])
