"""From a bundle and a data set to an index."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

import tiny
from engine_runtime.artefacts.dataset import Dataset
from engine_runtime.artefacts.index import IndexArtefact
from engine_runtime.data.stored import read_bucket, read_catalogue
from engine_runtime.errors import ArtefactError, UsageError
from engine_runtime.search.building import IndexSettings, Method
from engine_runtime.search.index import Floats
from engine_runtime.serve import indexing
from engine_runtime.serve.engine import Engine, Space
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


def next_day(folder: Path) -> Dataset:
    """The shop a day later: two items are gone, one has another title, three are new."""
    items = [item for item in tiny.shop_items() if item.id not in {"i05", "i21"}]
    items[7] = dataclasses.replace(items[7], title="small red lamp")
    more = [tiny.Item(f"n{number}", title, "Ada", "3") for number, title in enumerate(("tea", "blue pot cup", "lamp"))]
    return tiny.ingest_shop(folder, [*items, *more])


def test_an_exact_index_gone_on_from_is_a_first_one(
    world: World, bare: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From yesterday's index today's has the same digest as without it, and only changed texts are encoded."""
    today = next_day(tmp_path / "shop")
    first = make_index(bare, today, tmp_path / "first", IndexSettings())
    encoded: list[str] = []
    encode = Engine.encode

    def kept(engine: Engine, texts: Sequence[str], space: Space = "text") -> Floats:
        encoded.extend(texts)
        return encode(engine, texts, space)

    monkeypatch.setattr(Engine, "encode", kept)
    found = make_index(bare, today, tmp_path / "found", IndexSettings(), base=world.index)
    assert found.manifest.digest == first.manifest.digest
    assert len(encoded) == 4


def test_a_graph_is_gone_on_from(world: World, bare: Engine, tmp_path: Path) -> None:
    """New items join the graph of the day before, those that are gone leave dead points, and rankings are the same."""
    settings = IndexSettings("hnsw", m=8, ef_construction=50)
    yesterday = make_index(bare, world.dataset, tmp_path / "yesterday", settings)
    today = next_day(tmp_path / "shop")
    first = make_index(bare, today, tmp_path / "first", settings)
    found = make_index(bare, today, tmp_path / "found", settings, base=yesterday)
    assert found.info.n_dead > 0
    assert (found.info.n_points, found.info.n_rankable) == (first.info.n_points, first.info.n_rankable)
    assert found.vectors.read_bytes() == first.vectors.read_bytes()
    histories = read_bucket(today, 0)
    left, right = (
        engine.recommend(engine.profile(histories), 10)
        for engine in (Engine.load(world.bundle.root, index.root, threads=1) for index in (found, first))
    )
    assert np.allclose(left.scores, right.scores, atol=1e-5)
    later = make_index(bare, world.dataset, tmp_path / "later", settings, base=found)
    assert later.info.n_points == yesterday.info.n_points


def test_a_graph_with_many_dead_points_is_built_anew(world: World, bare: Engine, tmp_path: Path) -> None:
    """Where a third of the shop is gone, the new index is a first one, and that is said."""
    settings = IndexSettings("hnsw", m=8, ef_construction=50)
    yesterday = make_index(bare, world.dataset, tmp_path / "yesterday", settings)
    small = tiny.ingest_shop(tmp_path / "shop", tiny.shop_items()[::3])
    said: list[str] = []
    found = make_index(bare, small, tmp_path / "found", settings, base=yesterday, report=said.append)
    assert any("anew" in line for line in said)
    assert found.manifest.digest == make_index(bare, small, tmp_path / "first", settings).manifest.digest


def test_other_settings_build_a_new_graph(world: World, bare: Engine, tmp_path: Path) -> None:
    """A graph is gone on from where a new one would be built as it was, else the index is a first one."""
    exact = make_index(bare, world.dataset, tmp_path / "exact", IndexSettings())
    base = make_index(bare, world.dataset, tmp_path / "base", IndexSettings("hnsw", m=8), base=exact)
    for name, settings in (("wider", IndexSettings("hnsw", m=16)), ("none", IndexSettings())):
        first = make_index(bare, world.dataset, tmp_path / f"{name} first", settings)
        found = make_index(bare, world.dataset, tmp_path / name, settings, base=base)
        assert found.manifest.digest == first.manifest.digest


def test_another_bundle_or_variant_is_no_base(world: World, bare: Engine, tmp_path: Path) -> None:
    """Vectors of two models do not mix."""
    other = dataclasses.replace(world.index.manifest, parents={"bundle": "2" * 64})
    with pytest.raises(ArtefactError, match="222222"):
        make_index(
            bare, world.dataset, tmp_path / "x", IndexSettings(), base=dataclasses.replace(world.index, manifest=other)
        )
    variant = dataclasses.replace(world.index.info, precision="int8")
    with pytest.raises(ArtefactError, match="do not mix"):
        make_index(
            bare, world.dataset, tmp_path / "x", IndexSettings(), base=dataclasses.replace(world.index, info=variant)
        )
    assert not (tmp_path / "x").exists()


@pytest.mark.parametrize("method", ["exact", "hnsw"])
def test_a_reader_of_the_live_index_is_not_disturbed(
    method: Method, world: World, bare: Engine, tmp_path: Path
) -> None:
    """An engine that has an index open serves the same from it, on and on, while new ones take its place."""
    settings = IndexSettings(method, m=8, ef_construction=50)
    live = make_index(bare, world.dataset, tmp_path / "live", settings)
    reader = Engine.load(world.bundle.root, live.root, threads=1)
    histories = read_bucket(world.dataset, 0)
    wanted = reader.recommend(reader.profile(histories), 10)
    ended, seen = threading.Event(), [0, 0]

    def read() -> None:
        while not ended.is_set() or not seen[0]:
            found = reader.recommend(reader.profile(histories), 10)
            seen[0] += 1
            seen[1] += np.array_equal(found.items, wanted.items) and np.array_equal(found.scores, wanted.scores)

    searching = threading.Thread(target=read)
    searching.start()
    today = next_day(tmp_path / "shop")
    try:
        for dataset in (today, world.dataset, today):
            base = IndexArtefact.open(live.root)
            make_index(bare, dataset, live.root, settings, base=base, replace=True)
    finally:
        ended.set()
        searching.join()
    assert seen[0] == seen[1] > 0
    assert Engine.load(world.bundle.root, live.root, threads=1).shelf.catalogue["item_id"].to_pylist()[-1] == "n2"
    assert {path.name for path in tmp_path.iterdir()} == {"live", "shop"}
