"""The engine as one object, against the sums that its graphs are made of."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

import engine_runtime
import tiny
from engine_runtime.data.histories import Histories, histories_from
from engine_runtime.data.inputs import model_inputs
from engine_runtime.data.schema import ITEM_ID
from engine_runtime.data.stored import read_histories
from engine_runtime.errors import ArtefactError, MachineError, UsageError
from engine_runtime.inference.encoder import TextEncoder
from engine_runtime.search.building import IndexSettings
from engine_runtime.search.index import Floats
from engine_runtime.serve.engine import Engine, check_event_types
from engine_runtime.serve.indexing import make_index
from tiny import World


def test_the_engine_is_the_package_s_own_name() -> None:
    """``from engine_runtime import Engine`` is the door; other names are not there."""
    assert engine_runtime.Engine is Engine
    with pytest.raises(AttributeError, match="'Motor'"):
        _ = engine_runtime.Motor


def test_texts_in_both_spaces(world: World) -> None:
    """Without an index an engine encodes texts, in the encoder's space and in that of items."""
    engine = Engine.load(str(world.bundle.root))
    texts = ["red tea cup", "", "red tea cup", "lamp"]
    assert np.allclose(engine.encode(texts), tiny.encoded(texts), atol=1e-5)
    assert np.allclose(engine.encode(texts, "item"), tiny.encoded(texts, "item"), atol=1e-5)
    assert engine.encode([]).shape == (0, tiny.SHAPE.text_dim)
    assert np.allclose(np.concatenate(list(engine.stream(iter(texts), "item"))), tiny.encoded(texts, "item"), atol=1e-5)


def test_vectors_are_kept_where_it_is_asked(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a cache an engine loaded later has the vectors of texts that an earlier one has seen."""
    expected = Engine.load(world.bundle.root, cache=tmp_path / "cache").encode(["red tea cup", "lamp"], "item")
    monkeypatch.setattr(TextEncoder, "run", None)
    later = Engine.load(world.bundle.root, cache=str(tmp_path / "cache"))
    assert np.array_equal(later.encode(["lamp", "red tea cup"], "item"), expected[::-1])


def test_without_an_index_there_are_no_profiles(world: World) -> None:
    """What needs items says that it wants an index."""
    with pytest.raises(UsageError, match=r"Engine\.load\(bundle, index\)"):
        Engine.load(world.bundle.root).profile(histories_from([[1]]))


def test_profiles_are_those_of_the_formulas(world: World, engine: Engine) -> None:
    """Both vectors of each user are what the refiner's formulas give on their newest ordered events."""
    histories = read_histories(world.dataset)
    found = engine.profile(histories)
    inputs = model_inputs(histories, tiny.BUNDLE.value, tiny.BUNDLE.gap, tiny.SHAPE.max_events)
    for user in range(len(histories)):
        events = slice(inputs.offsets[user], inputs.offsets[user + 1])
        if events.start == events.stop:
            assert not found.query[user].any()
            continue
        vectors = engine.shelf.vectors[inputs.items[events]]
        query, concepts = tiny.refined(
            vectors, inputs.types[events].tolist(), inputs.values[events], inputs.gaps[events]
        )
        likeness = engine.info.fusion.text_weight * _recent(engine, histories.take([user]))
        assert np.allclose(found.query[user], np.concatenate((query, likeness)), atol=1e-5)
        assert np.allclose(found.concepts[user], concepts.mean(axis=0), atol=1e-5)


def _recent(engine: Engine, history: Histories) -> Floats:
    """Decayed mean of the directions of a user's newest events."""
    fusion = engine.info.fusion
    newest = history.items[-fusion.n_events :]
    factors = fusion.text_decay ** np.arange(len(newest))[::-1]
    mean = (engine.shelf.directions[newest] * factors[:, None]).sum(0) / factors.sum()
    return np.asarray(mean, np.float32)


def test_a_user_alone_is_the_user_in_a_batch(world: World, engine: Engine) -> None:
    """Profile and recommendations depend on no other user."""
    histories = read_histories(world.dataset)
    together = engine.profile(histories)
    ranking = engine.recommend(together, 5)
    for user in range(len(histories)):
        alone = engine.profile(histories.take([user]))
        assert np.allclose(alone.query[0], together.query[user], atol=1e-6)
        assert np.allclose(alone.concepts[0], together.concepts[user], atol=1e-6)
        own = engine.recommend(alone, 5)
        assert np.array_equal(own.items[0], ranking.items[user])
        assert np.allclose(own.scores[0], ranking.scores[user], atol=1e-6)


def test_recommendations_are_new_and_rankable(world: World, engine: Engine) -> None:
    """No item of a user's history comes back, and none that may not be recommended."""
    histories = read_histories(world.dataset)
    ranking = engine.recommend(engine.profile(histories), 40)
    rankable = engine.shelf.index.rankable
    for user, row in enumerate(ranking.items):
        found = row[row >= 0]
        assert not np.isin(found, histories.take([user]).items).any()
        assert rankable[found].all()


def test_a_cold_user_sees_what_is_popular(engine: Engine) -> None:
    """A user without events gets the start row in the catalogue's numbers, strongest first."""
    ranking = engine.recommend(engine.profile(histories_from([[]])), 3)
    table = engine.shelf.successors
    _, items, weights = table.lookup(np.array([table.start_row]))
    order = [int(item) for item in items[np.argsort(-weights)] if engine.shelf.index.rankable[item]]
    assert [item for item in ranking.items[0].tolist() if item >= 0] == order[:3]


def test_newcomers_are_read_and_never_recommended(engine: Engine) -> None:
    """A history may hold items that the index lacks: they count by their text, known and new users alike."""
    wider = engine.with_newcomers(["red tea cup", "blue lamp"])
    first = len(engine.shelf.vectors)
    found = wider.profile(histories_from([[first], [first, 5], [first + 1, first]]))
    assert np.allclose(wider.shelf.directions[first:], tiny.encoded(["red tea cup", "blue lamp"]), atol=1e-6)
    vectors = wider.shelf.vectors[first:]
    gap = model_inputs(histories_from([[0]]), tiny.BUNDLE.value, tiny.BUNDLE.gap, 5)
    query, _ = tiny.refined(vectors[:1], [0], gap.values, gap.gaps)
    assert np.allclose(found.query[0, : tiny.SHAPE.dim], query, atol=1e-5)
    wider.info = dataclasses.replace(wider.info, fusion=dataclasses.replace(wider.info.fusion, weight=0.0))
    ranking = wider.recommend(found, 4)
    assert ranking.items.max() < first
    fused = wider.info.fusion.n_candidates
    _, nearest = engine.shelf.index.search(found.query[:1], fused)
    assert set(ranking.items[0].tolist()) & set(nearest[0].tolist())
    assert not np.array_equal(ranking.items[0], engine.recommend(engine.profile(histories_from([[]])), 4).items[0])
    assert 5 not in ranking.items[1]
    with pytest.raises(UsageError, match="outside"):
        engine.profile(histories_from([[first]]))


def test_another_bundle_s_index_is_refused(world: World, tmp_path: Path) -> None:
    """Version skew is refused with both digests named."""
    other = tiny.write_bundle(tmp_path / "other", tiny.TRAINED[1:])
    with pytest.raises(ArtefactError) as error:
        Engine.load(other.root, world.index.root)
    assert other.manifest.digest[:12] in str(error.value)
    assert world.bundle.manifest.digest[:12] in str(error.value)


def test_the_variant_is_that_of_the_index(world: World, tmp_path: Path) -> None:
    """Auto takes the index's variant; another one is refused, and one that this machine lacks the features for too."""
    assert world.engine().precision == "fp32"
    with pytest.raises(MachineError, match="no_such_feature"):
        Engine.load(world.bundle.root, precision="int8")
    with pytest.raises(UsageError, match="fp16"):
        Engine.load(world.bundle.root, precision="fp16")
    info = dataclasses.replace(tiny.BUNDLE, encoder=dataclasses.replace(tiny.ENCODER, requires={}))
    both = tiny.write_bundle(tmp_path / "both", tiny.TRAINED, info)
    engine = Engine.load(both.root, precision="int8", threads=1)
    index = make_index(engine, world.dataset, tmp_path / "index", IndexSettings())
    assert Engine.load(both.root, index.root).precision == "int8"
    with pytest.raises(ArtefactError, match="made with int8, fp32 was asked for"):
        Engine.load(both.root, index.root, "fp32")


def test_items_are_numbered_by_the_catalogue(engine: Engine) -> None:
    """An id gives the row of the catalogue, an unknown one -1, and a history with that is refused."""
    ids = engine.shelf.catalogue[ITEM_ID].to_pylist()
    assert engine.item_numbers([ids[2], "nothing", ids[0]]).tolist() == [2, -1, 0]
    with pytest.raises(UsageError, match="outside"):
        engine.profile(histories_from([[0, -1]]))
    with pytest.raises(UsageError, match="outside"):
        engine.profile(histories_from([[len(ids)]]))


def test_a_space_that_does_not_exist_is_refused(engine: Engine) -> None:
    """The spaces that there are are named."""
    with pytest.raises(UsageError, match="text, item"):
        engine.encode(["a"], "picture")  # type: ignore[arg-type]  # what a caller without a type checker does
    with pytest.raises(UsageError, match="text, item"):
        engine.stream(["a"], "picture")  # type: ignore[arg-type]  # as above


def test_event_types_have_one_order(world: World) -> None:
    """A data set whose types are numbered otherwise is refused."""
    check_event_types(tiny.BUNDLE, world.dataset)
    with pytest.raises(ArtefactError, match="view, buy, the bundle was trained on buy, view"):
        check_event_types(dataclasses.replace(tiny.BUNDLE, event_types=("buy", "view")), world.dataset)
