"""From a bundle and a data set to an index."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

import tiny
from engine_runtime.artefacts.index import IndexArtefact
from engine_runtime.data.histories import read_bucket, read_catalogue
from engine_runtime.errors import ArtefactError, UsageError
from engine_runtime.search.building import IndexSettings
from engine_runtime.serve import indexing
from engine_runtime.serve.engine import Engine
from engine_runtime.serve.indexing import make_index
from tiny import World


@pytest.fixture(scope="module")
def bare(world: World) -> Engine:
    return Engine.load(world.bundle.root, threads=1)


def test_an_index_knows_what_it_came_from(world: World) -> None:
    """Parents, counts and the variant are on record, and the catalogue is the data set's."""
    index = world.index
    parents = {"bundle": world.bundle.manifest.digest, "dataset": world.dataset.manifest.digest}
    assert index.manifest.parents == parents
    assert (index.info.n_items, index.info.n_rankable, index.info.method) == (32, 30, "exact")
    assert index.info.n_points == 29  # i00 and i02 have one text and no residual
    assert (index.info.precision, index.info.recall) == ("fp32", 1.0)
    assert read_catalogue(index.items).equals(read_catalogue(world.dataset.items))


def test_an_index_is_the_same_each_time(world: World, bare: Engine, tmp_path: Path) -> None:
    """The same parents and settings give the same digest, on one thread or two."""
    said: list[str] = []
    settings = IndexSettings("hnsw", m=8, ef_construction=50)
    two = Engine.load(world.bundle.root, threads=2)
    one = make_index(bare, world.dataset, tmp_path / "one", settings, report=said.append)
    assert one.manifest.digest == make_index(two, world.dataset, tmp_path / "two", settings).manifest.digest
    assert one.info.method == "hnsw"
    assert IndexArtefact.open(tmp_path / "one").graph.is_file()
    assert any("32 items" in line for line in said)


def test_both_methods_recommend_the_same(world: World, bare: Engine, tmp_path: Path) -> None:
    """On a small shop, HNSW and exact search give the same lists."""
    make_index(bare, world.dataset, tmp_path / "index", IndexSettings("hnsw"))
    approximate, exact = Engine.load(world.bundle.root, tmp_path / "index"), world.engine()
    for bucket in range(world.dataset.info.n_buckets):
        histories = read_bucket(world.dataset, bucket)
        left, right = (engine.recommend(engine.profile(histories), 10) for engine in (approximate, exact))
        assert np.allclose(left.scores, right.scores, atol=1e-5)


def test_probes_are_users_or_items(world: World, bare: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Recall is measured with users' queries, or with items where nobody has a history."""
    ordered = int((read_bucket(world.dataset, 0).n_ordered > 0).sum())
    assert world.index.info.n_probes == ordered
    silent = tiny.ingest_shop(tmp_path / "silent", events=tiny.UNPLACED)
    assert make_index(bare, silent, tmp_path / "index", IndexSettings()).info.n_probes == 32
    monkeypatch.setattr(indexing, "PROBES", 2)
    assert make_index(bare, world.dataset, tmp_path / "few", IndexSettings()).info.n_probes == 2


def test_what_is_there_is_not_overwritten(world: World, bare: Engine, tmp_path: Path) -> None:
    """An index is replaced on request alone."""
    make_index(bare, world.dataset, tmp_path / "index", IndexSettings())
    with pytest.raises(UsageError, match="--force"):
        make_index(bare, world.dataset, tmp_path / "index", IndexSettings())
    make_index(bare, world.dataset, tmp_path / "index", IndexSettings(), replace=True)


def test_other_event_types_are_refused(world: World, bare: Engine, tmp_path: Path) -> None:
    """A data set with more types than the model knows is refused before its numbers reach the graph."""
    more = dataclasses.replace(world.dataset.info, event_types=("view", "buy", "rate"), event_weights=(1.0, 1.0, 1.0))
    with pytest.raises(ArtefactError, match="view, buy, rate"):
        make_index(bare, dataclasses.replace(world.dataset, info=more), tmp_path / "index", IndexSettings())
    assert list(tmp_path.iterdir()) == []
