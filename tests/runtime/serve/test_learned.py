"""The learned files of a bundle, matched with a catalogue by id, and refused where they do not fit."""

from __future__ import annotations

import dataclasses
import io
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import tiny
from engine_runtime.artefacts.arrays import save_arrays
from engine_runtime.artefacts.labels import Interval, LabelInfo
from engine_runtime.data.schema import ITEM_ID
from engine_runtime.errors import ArtefactError
from engine_runtime.profile.labels import LabelHeads
from engine_runtime.serve.learned import Learned, align
from tiny import World

COUNT = len(tiny.TRAINED)
SEX = LabelInfo("sex", ("f", "m"), (), 1.0, 1.0, 9, 3, 0.5, 0.9, Interval(0.8, 0.7, 0.9), Interval(0.8, 0.7, 0.9), 0.1)


def catalogue(*ids: str) -> pa.Table:
    """A catalogue as far as it matters here."""
    return pa.table({ITEM_ID: pa.array(ids, pa.string())})


def heads(n_items: int = COUNT, **widths: int) -> LabelHeads:
    """Label heads of two columns."""
    rows = {"own": n_items, "valued": n_items, "shared": tiny.SHAPE.dim, "profile": tiny.SHAPE.n_concepts} | widths
    drawn = {name: tiny.weights(name, count, 2) for name, count in rows.items()}
    return LabelHeads(rarity=np.ones(n_items, np.float32), bias=np.zeros(2, np.float32), **drawn)


def labelled(folder: Path, weights: LabelHeads) -> Learned:
    """A bundle with a label head."""
    save_arrays(weights, folder / "labels.npz")
    info = dataclasses.replace(tiny.BUNDLE, labels=(SEX,))
    files = {"labels_npz": (folder / "labels.npz").read_bytes()}
    return Learned(tiny.write_bundle(folder / "bundle", tiny.TRAINED, info, **files))


def test_concepts_have_names(world: World) -> None:
    """Each dimension of a profile has a name."""
    assert Learned(world.bundle).concept_names == [f"concept {number}" for number in range(tiny.SHAPE.n_concepts)]


def test_concepts_have_centres(world: World) -> None:
    """Each dimension of a profile has its place among the directions of texts, of unit length."""
    centres = Learned(world.bundle).centres
    stored = np.load(world.bundle.centres)
    np.testing.assert_allclose(centres * np.linalg.norm(stored, axis=1, keepdims=True), stored, rtol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(centres, axis=1), 1, rtol=1e-6)


def test_residuals_follow_the_ids(world: World) -> None:
    """An item has the residual of its id, whatever its place; one that training has not seen has none."""
    residuals, trained = Learned(world.bundle).residuals(catalogue(tiny.TRAINED[2], "unheard of", tiny.TRAINED[0]))
    stored = np.load(world.bundle.residuals)
    assert trained.tolist() == [True, False, True]
    assert np.array_equal(residuals[[0, 2]], stored[[2, 0]])
    assert not residuals[1].any()


def test_of_what_training_has_known_without_events(world: World, tmp_path: Path) -> None:
    """An item of training's catalogue without events there counts as new, and its residual is not used."""
    stream = pa.BufferOutputStream()
    columns = {"item_id": pa.array(tiny.TRAINED), "trained": pa.array([False] + [True] * (COUNT - 1))}
    with pq.ParquetWriter(stream, pa.table(columns).schema) as writer:
        writer.write_table(pa.table(columns))
    bundle = tiny.write_bundle(tmp_path / "bundle", tiny.TRAINED, items_parquet=stream.getvalue().to_pybytes())
    residuals, trained = Learned(bundle).residuals(catalogue(*tiny.TRAINED[:2]))
    assert trained.tolist() == [False, True]
    assert [bool(row.any()) for row in residuals] == [False, True]


def test_successors_are_in_the_catalogue_s_numbers(world: World) -> None:
    """An item's row names its successors by their places in the catalogue."""
    ids = list(reversed(tiny.TRAINED))
    found = Learned(world.bundle).successors(catalogue("unheard of", *ids))
    stored = tiny.random_table(COUNT)
    for item in (0, 1, COUNT - 1):
        _, own, weights = stored.lookup(np.array([item]))
        _, items, others = found.lookup(np.array([1 + ids.index(tiny.TRAINED[item])]))
        assert dict(zip((ids.index(tiny.TRAINED[i]) + 1 for i in own), weights, strict=True)) == dict(
            zip(items.tolist(), others, strict=True)
        )


def test_label_heads_are_there_where_the_bundle_says_so(world: World, tmp_path: Path) -> None:
    """Without labels in the bundle's facts there are no heads; with them they are read."""
    assert Learned(world.bundle).heads is None
    found = labelled(tmp_path, heads()).heads
    assert found is not None
    assert np.array_equal(found.own, heads().own)


@pytest.mark.parametrize(
    "weights", [heads(COUNT - 1), heads(shared=3), heads(profile=1)], ids=["items", "width", "concepts"]
)
def test_label_heads_that_do_not_fit(weights: LabelHeads, tmp_path: Path) -> None:
    """Heads of other items, of another width or of other concepts are refused."""
    with pytest.raises(ArtefactError, match=r"labels\.npz has arrays of"):
        _ = labelled(tmp_path, weights).heads


def _array(array: Any) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array)
    return stream.getvalue()


@pytest.mark.parametrize(
    ("file", "content", "said"),
    [
        ("concepts_json", b"[{}]", "cannot be read"),
        ("concepts_json", b"[]", "names 0 concepts of 7"),
        ("items_parquet", b"nothing", "cannot be read"),
        ("residuals_npy", b"nothing", "is no array"),
        ("residuals_npy", _array(np.zeros((COUNT, 1), np.float32)), "does not fit"),
        ("residuals_npy", _array(np.zeros((COUNT, tiny.SHAPE.dim))), "does not fit"),
        ("successors_npz", b"nothing", "no successor table"),
        ("centres_npy", b"nothing", "is no array"),
        ("centres_npy", _array(np.ones((7, 3), np.float32)), "does not fit"),
        ("centres_npy", _array(np.zeros((7, tiny.SHAPE.white_dim), np.float32)), "lies nowhere"),
    ],
)
def test_a_bundle_sealed_with_a_file_that_is_none(file: str, content: bytes, said: str, tmp_path: Path) -> None:
    """Where the digest is right and the file is not, it is the artefact's fault too."""
    learned = Learned(tiny.write_bundle(tmp_path / "bundle", tiny.TRAINED, tiny.BUNDLE, **{file: content}))
    asked = catalogue(*tiny.TRAINED)
    with pytest.raises(ArtefactError, match=said):
        _ = learned.concept_names, learned.residuals(asked), learned.successors(asked), learned.centres


def test_successors_of_other_items(world: World, tmp_path: Path) -> None:
    """A successor table with more rows than there are items is refused."""
    tiny.random_table(COUNT + 1).save(tmp_path / "table.npz")
    content = (tmp_path / "table.npz").read_bytes()
    learned = Learned(tiny.write_bundle(tmp_path / "bundle", tiny.TRAINED, successors_npz=content))
    with pytest.raises(ArtefactError, match=f"successors of {COUNT + 1} items"):
        learned.successors(catalogue(*tiny.TRAINED))


def test_ids_are_aligned_whatever_their_chunks() -> None:
    """The row of each id among others, -1 where it is not; chunks change nothing."""
    for among in (pa.chunked_array([["b", "a", "d"]]), pa.chunked_array([["b"], ["a", "d"]])):
        assert align(pa.chunked_array([["a", "c"], ["b"]]), among).tolist() == [1, -1, 0]
    none = pa.chunked_array([], pa.string())
    assert align(none, pa.chunked_array([["a"]])).tolist() == []
    assert align(pa.chunked_array([["a"]]), none).tolist() == [-1]
