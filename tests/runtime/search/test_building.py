"""Building an index with its recall measured, and opening it again."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from engine_runtime.artefacts.index import IndexArtefact
from engine_runtime.artefacts.writing import drafting
from engine_runtime.data.schema import RANKABLE
from engine_runtime.data.stored import read_catalogue
from engine_runtime.errors import ArtefactError
from engine_runtime.search import building
from engine_runtime.search.building import (
    IndexSettings,
    Measured,
    index_info,
    measured_index,
    open_index,
    renewed_index,
    write_index,
)
from engine_runtime.search.hnsw import HnswIndex
from engine_runtime.search.index import ExactIndex, Floats
from engine_runtime.search.newcomers import Newcomers

if TYPE_CHECKING:
    from tiny import World

HNSW = IndexSettings("hnsw", m=8, ef_construction=50, ef=8)


NOBODY = Newcomers(np.zeros(0, np.int32), np.zeros((0, 0), np.int32), np.zeros((0, 0), np.float32))


def drawn(count: int, dim: int = 8, seed: int = 0) -> Floats:
    """Random vectors."""
    return np.random.default_rng(seed).normal(size=(count, dim)).astype(np.float32)


def measure(vectors: Floats, settings: IndexSettings, probes: Floats | None = None) -> Measured:
    """Build an index of which all items are rankable."""
    queries = drawn(30, vectors.shape[1], seed=1) if probes is None else probes
    return measured_index(vectors, np.ones(len(vectors), np.bool_), queries, settings, 1)


def test_small_catalogues_are_searched_exactly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Up to a size auto is exact, beyond it HNSW, and a method asked for is the one built."""
    vectors = drawn(200)
    assert measure(vectors, IndexSettings()).index.method == "exact"
    assert measure(vectors, HNSW).index.method == "hnsw"
    monkeypatch.setattr(building, "EXACT_ITEMS", 199)
    assert measure(vectors, IndexSettings()).index.method == "hnsw"
    assert measure(vectors, IndexSettings("exact")).index.method == "exact"


def test_recall_is_measured_and_breadth_raised() -> None:
    """The breadth is raised until the recall is reached, and the recall is that of the index as it stands."""
    measured = measure(drawn(3000, 32), IndexSettings("hnsw", m=8, ef_construction=40, ef=8), drawn(50, 32, seed=1))
    assert measured.ef > 8
    assert measured.recall >= building.MIN_RECALL
    assert isinstance(measured.index, HnswIndex)
    assert measured.index.ef == measured.ef


def test_breadth_is_narrowed(monkeypatch: pytest.MonkeyPatch) -> None:
    """No more is searched than has to be: the breadth kept is less than an eighth above one that is too little."""
    index, asked = measure(drawn(50), HNSW).index, []
    assert isinstance(index, HnswIndex)
    index.ef = 64

    def recall(wanted: Floats, found: Floats, graph: HnswIndex = index) -> float:
        asked.append(graph.ef)
        return 0.99 if graph.ef >= 281 else 0.9

    monkeypatch.setattr(building, "recall_at", recall)
    measured = building._measured(index, drawn(5))
    assert asked == [64, 128, 256, 512, 384, 320, 288]
    assert (measured.ef, measured.recall, index.ef) == (288, 0.99, 288)


@pytest.mark.parametrize("ef", [64, 5000])
def test_a_recall_out_of_reach_fails(monkeypatch: pytest.MonkeyPatch, ef: int) -> None:
    """Where no breadth reaches the recall, what was reached is said."""
    monkeypatch.setattr(building, "MIN_RECALL", 1.1)
    with pytest.raises(ArtefactError, match=rf"finds 1\.000 .* ef {max(ef, 4096)}; 1\.1 is the least"):
        measure(drawn(50), IndexSettings("hnsw", ef=ef))


def test_a_large_breadth_is_taken_as_it_is() -> None:
    """A breadth beyond the largest that is tried is measured like any other."""
    measured = measure(drawn(50), IndexSettings("hnsw", ef=5000))
    assert (measured.ef, measured.recall) == (5000, 1.0)


@pytest.mark.parametrize("settings", [IndexSettings(), HNSW])
def test_points_are_distinct_vectors(settings: IndexSettings) -> None:
    """Equal vectors count as one point, whatever the method."""
    assert measure(np.repeat(drawn(20), 3, axis=0), settings).n_points == 20


def test_nothing_to_recommend() -> None:
    """Without rankable items, or any, the index is exact and finds nothing."""
    for count in (0, 4):
        measured = measured_index(drawn(count), np.zeros(count, np.bool_), drawn(3), HNSW, 1)
        assert (measured.index.method, measured.n_points) == ("exact", 0)
        assert (measured.index.search(drawn(2), 3)[1] == -1).all()


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_vector_that_is_not_finite_is_refused(value: float) -> None:
    """An index over NaN is never built, though hnswlib would."""
    vectors = drawn(5)
    vectors[2, 1] = value
    with pytest.raises(ArtefactError, match="not finite"):
        measure(vectors, IndexSettings())


def test_recall_of_few_items_is_not_vacuous(monkeypatch: pytest.MonkeyPatch) -> None:
    """With fewer than ten items, an index that finds none of them has no recall."""
    monkeypatch.setattr(
        HnswIndex,
        "search",
        lambda index, queries, k: (np.full((len(queries), k), -np.inf, np.float32), np.full((len(queries), k), -1)),
    )
    with pytest.raises(ArtefactError, match=r"finds 0\.000"):
        measure(drawn(5), HNSW)


@pytest.mark.parametrize("settings", [IndexSettings(), HNSW])
def test_an_index_survives_its_artefact(world: World, tmp_path: Path, settings: IndexSettings) -> None:
    """An opened index answers as the built one did, over the same catalogue."""
    catalogue = read_catalogue(world.dataset.items)
    rankable = catalogue[RANKABLE].to_numpy()
    vectors, queries = drawn(len(catalogue)), drawn(4, seed=2)
    measured = measured_index(vectors, rankable, queries, settings, 1)
    with drafting(tmp_path / "index", "index") as draft:
        write_index(draft, catalogue, measured, NOBODY)
        draft.seal(index_info(measured, "fp32", settings, len(queries), 0))
    opened, items, newcomers = open_index(IndexArtefact.open(tmp_path / "index"), 1)
    assert items.equals(catalogue)
    assert len(newcomers.items) == 0
    assert opened.method == measured.index.method
    assert np.array_equal(opened.search(queries, 50)[1], measured.index.search(queries, 50)[1])
    assert np.array_equal(opened.vectors, vectors)


def test_an_index_that_does_not_fit_is_refused(world: World, tmp_path: Path) -> None:
    """Vectors that are no array, or not one for each item, are an artefact's fault."""
    catalogue = read_catalogue(world.dataset.items)
    index = ExactIndex(drawn(len(catalogue)), catalogue[RANKABLE].to_numpy())
    measured = Measured(index, 0, 1.0, 1)
    for name, content in (("none", b""), ("text", b"no array"), ("rows", None)):
        with drafting(tmp_path / name, "index") as draft:
            write_index(draft, catalogue, measured, NOBODY)
            if content is None:
                np.save(draft.path / "vectors.npy", drawn(3))
            else:
                (draft.path / "vectors.npy").write_bytes(content)
            draft.seal(index_info(measured, "fp32", IndexSettings(), 0, 0))
        with pytest.raises(ArtefactError, match="no array" if content is not None else "Index again"):
            open_index(IndexArtefact.open(tmp_path / name))


@pytest.mark.parametrize(("item", "neighbour", "n_new"), [(99, 0, 1), (0, -1, 1), (0, 1, 2)])
def test_newcomers_that_do_not_fit(item: int, neighbour: int, n_new: int, world: World, tmp_path: Path) -> None:
    """New items or neighbours that the catalogue lacks, and another number than was said, are an artefact's fault."""
    catalogue = read_catalogue(world.dataset.items)
    measured = Measured(ExactIndex(drawn(len(catalogue)), catalogue[RANKABLE].to_numpy()), 0, 1.0, 1)
    one = Newcomers(np.array([item], np.int32), np.array([[neighbour]], np.int32), np.ones((1, 1), np.float32))
    with drafting(tmp_path / "index", "index") as draft:
        write_index(draft, catalogue, measured, one)
        draft.seal(index_info(measured, "fp32", IndexSettings(), 0, n_new))
    with pytest.raises(ArtefactError, match=r"newcomers\.npz does not fit"):
        open_index(IndexArtefact.open(tmp_path / "index"))


def opened_anew(folder: Path, world: World) -> IndexArtefact:
    """An HNSW index of random vectors for the world's catalogue."""
    catalogue = read_catalogue(world.dataset.items)
    measured = measured_index(drawn(len(catalogue)), catalogue[RANKABLE].to_numpy(), drawn(4, seed=2), HNSW, 1)
    with drafting(folder, "index") as draft:
        write_index(draft, catalogue, measured, NOBODY)
        draft.seal(index_info(measured, "fp32", HNSW, 4, 0))
    return IndexArtefact.open(folder)


def test_vectors_stay_on_the_disk(world: World, tmp_path: Path) -> None:
    """An opened index maps its vectors and can not write to them."""
    opened, _, _ = open_index(opened_anew(tmp_path / "index", world), 1)
    assert not opened.vectors.flags.owndata
    assert not opened.vectors.flags.writeable


def test_an_index_of_an_earlier_version_is_read(world: World, tmp_path: Path) -> None:
    """Without a file of points they are those of the distinct vectors, and searches find the same."""
    artefact = opened_anew(tmp_path / "index", world)
    found = open_index(artefact, 1)[0].search(drawn(5, seed=3), 10)[1]
    artefact.points.unlink()
    assert np.array_equal(open_index(artefact, 1)[0].search(drawn(5, seed=3), 10)[1], found)


def test_an_index_replaced_while_it_is_opened_is_refused(world: World, tmp_path: Path) -> None:
    """Files of two indexes are never mixed: the manifest that was verified is the one that is there at the end."""
    artefact = opened_anew(tmp_path / "index", world)
    other = dataclasses.replace(artefact.manifest, parents={"bundle": "2"})
    with pytest.raises(ArtefactError, match="replaced while it was opened"):
        open_index(dataclasses.replace(artefact, manifest=other))


def renewed(vectors: Floats, kept: slice, settings: IndexSettings = HNSW) -> Measured | None:
    """The index of some of the vectors, from the graph of all."""
    base = measure(vectors, settings).index
    assert isinstance(base, HnswIndex)
    left = vectors[kept]
    return renewed_index(base, left, np.ones(len(left), np.bool_), drawn(30, seed=1), settings)


def test_a_renewed_index_is_measured() -> None:
    """Its recall is that over the new catalogue, its dead points are counted."""
    found = renewed(drawn(500), slice(50, None))
    assert found is not None
    assert found.recall >= building.MIN_RECALL
    assert (found.n_points, found.n_dead) == (450, 50)


def test_many_dead_points_or_a_low_recall_want_a_new_graph(monkeypatch: pytest.MonkeyPatch) -> None:
    """Past a fifth of dead points, and where no breadth reaches the recall, there is nothing to go on with."""
    assert renewed(drawn(500), slice(100, None)) is not None
    assert renewed(drawn(500), slice(101, None)) is None
    base = measure(drawn(50), HNSW).index
    assert isinstance(base, HnswIndex)
    monkeypatch.setattr(building, "MIN_RECALL", 1.1)
    assert renewed_index(base, drawn(49), np.ones(49, np.bool_), drawn(3), HNSW) is None
