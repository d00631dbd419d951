"""Corrections in what is served: masked items are gone, others' rows are untouched, shares still sum."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import tiny
from engine_runtime.artefacts.bundle import CENTRES_FILE, Bundle
from engine_runtime.artefacts.output import Output
from engine_runtime.artefacts.overlay import Correction, Kind, Overlay
from engine_runtime.artefacts.writing import drafting
from engine_runtime.data.stored import read_histories
from engine_runtime.errors import ArtefactError
from engine_runtime.profile.correction import concepts_of_items
from engine_runtime.search.building import IndexSettings
from engine_runtime.search.hnsw import HnswIndex
from engine_runtime.serve import correcting
from engine_runtime.serve.batch import serve_batch
from engine_runtime.serve.bucket import adapt
from engine_runtime.serve.correcting import understand
from engine_runtime.serve.engine import Engine
from engine_runtime.serve.explain import explain_user
from engine_runtime.serve.indexing import make_index
from engine_runtime.serve.portrait import history_of, portray
from tiny import World

TOP = 10


Said = list[tuple[str, Kind, float]]


def saying(**users: Said) -> Overlay:
    """An overlay of users, each with names, kinds and amounts."""
    return Overlay(users={user: tuple(Correction(*one, made="now") for one in held) for user, held in users.items()})


def rows(output: Output) -> dict[str, dict[str, Any]]:
    """All rows by user."""
    parts = [pq.read_table(output.part(number)) for number in range(output.info.n_parts)]
    return {row["user_id"]: row for row in pa.concat_tables(parts).to_pylist()}


def items_of(engine: Engine, concept: int) -> set[str]:
    """Ids of the items that belong to a concept."""
    which = concepts_of_items(engine.shelf.directions, engine.learned.centres) == concept
    ids = engine.shelf.catalogue["item_id"].to_pylist()
    return {item for item, own in zip(ids, which, strict=True) if own}


def shown(row: dict[str, Any]) -> list[str]:
    return [found["item_id"] for found in row["recommendations"]]


def history(world: World, user: str) -> set[str]:
    """Ids of a user's items."""
    ids = pq.read_table(world.dataset.items)["item_id"].to_pylist()
    return {ids[item] for item in history_of(world.dataset, user).items}


@pytest.fixture(scope="module")
def plain(world: World, engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Output:
    return serve_batch(engine, world.dataset, tmp_path_factory.mktemp("plain") / "output", top_k=TOP)[0]


@pytest.fixture(scope="module")
def common(engine: Engine, plain: Output) -> int:
    """The concept that most of the first recommendations belong to."""
    best = [shown(row)[0] for row in rows(plain).values()]
    return max(range(tiny.SHAPE.n_concepts), key=lambda concept: len(items_of(engine, concept) & set(best)))


def test_masked_items_are_gone_and_lists_are_full(
    world: World, engine: Engine, plain: Output, common: int, tmp_path: Path
) -> None:
    """Whoever masks a concept sees none of its items; where there are enough others the list is as long as before."""
    before = rows(plain)
    hidden = items_of(engine, common)
    assert any(hidden & set(shown(row)) for row in before.values())
    said: Said = [(f"concept {common}", "mask", 0.0)]
    overlay = saying(**dict.fromkeys(before, said))
    found = rows(serve_batch(engine, world.dataset, tmp_path / "masked", top_k=TOP, overlay=overlay)[0])
    ids = np.array(engine.shelf.catalogue["item_id"].to_pylist())
    rest = set(ids[engine.shelf.index.rankable]) - hidden
    for user, row in found.items():
        assert not hidden & set(shown(row))
        assert row["concepts"][common] == 0
        if any(row["concepts"]):
            assert sum(row["concepts"]) == pytest.approx(1, abs=1e-5)
            assert len(shown(row)) == min(TOP, len(rest - history(world, user)))


def test_others_are_untouched_to_the_bit(world: World, engine: Engine, plain: Output, tmp_path: Path) -> None:
    """A user without corrections, or of whom only unknown names are said, has the very row of a run without overlay."""
    overlay = saying(
        u03=[("concept 1", "scale", 4.0)],
        u08=[("concept 2", "mask", 0.0)],
        u11=[("gone", "mask", 0.0)],
        ghost=[("gone", "add", 0.5)],
    )
    output = serve_batch(engine, world.dataset, tmp_path / "some", top_k=TOP, overlay=overlay)[0]
    before, after = rows(plain), rows(output)
    assert {user for user in before if before[user] != after[user]} == {"u03", "u08"}
    assert (output.info.n_corrected, output.info.n_unknown_users, output.info.n_unknown_concepts) == (2, 1, 2)
    assert output.info.overlay == overlay.digest
    empty = serve_batch(engine, world.dataset, tmp_path / "empty", top_k=TOP, overlay=Overlay())[0]
    assert empty.manifest.digest == plain.manifest.digest


def test_a_scaled_interest_pulls_its_items_up(world: World, engine: Engine) -> None:
    """More of a concept raises its weight and what it adds to every score it speaks for."""
    less, more = (
        explain_user(engine, world.dataset, "u08", ["i05"], overlay=saying(u08=[("concept 3", "scale", factor)]))
        for factor in (0.2, 5.0)
    )
    weights = [{one.name: one.weight for one in found.interests}["concept 3"] for found in (less, more)]
    assert weights[0] < weights[1]


def test_a_new_user_gets_what_they_state(world: World, engine: Engine) -> None:
    """Without an event the stated interests are the whole profile, and ranking follows them."""
    overlay = saying(idle=[("concept 2", "add", 0.3), ("concept 4", "add", 0.1)])
    before, after = (portray(engine, world.dataset, "idle", 5, said).row for said in (None, overlay))
    assert not any(before["concepts"])
    weights = {one["name"]: one["weight"] for one in after["interests"]}
    assert weights == pytest.approx({"concept 2": 0.75, "concept 4": 0.25})
    assert any(after["query"])
    assert after["recommendations"] != before["recommendations"]
    assert len(after["recommendations"]) == 5
    masked = portray(engine, world.dataset, "idle", 5, saying(idle=[("concept 0", "mask", 0.0)])).row
    assert not any(masked["query"])  # who only masks is not known any better
    assert not set(shown(masked)) & items_of(engine, 0)


@pytest.mark.parametrize("user", ["u08", "u03", "u05", "u04", "idle"])
@pytest.mark.parametrize(
    "held",
    [
        [("concept 2", "add", 0.4), ("concept 1", "mask", 0.0), ("concept 0", "scale", 3.0)],
        [("concept 5", "mask", 0.0)],
        [("concept 6", "add", 1.0)],
    ],
)
def test_shares_of_corrected_users_sum(
    world: World, engine: Engine, user: str, held: list[tuple[str, Kind, float]]
) -> None:
    """Parts and events, with what is stated, make the scores as served and the weights of the interests."""
    overlay = saying(**{user: held})
    found = explain_user(engine, world.dataset, user, top=4, overlay=overlay)
    row = portray(engine, world.dataset, user, 4, overlay).row
    assert [reason.item_id for reason in found.items] == shown(row)
    for reason, served in zip(found.items, row["recommendations"], strict=True):
        parts = sum(one.share for one in reason.concepts) + reason.other_concepts
        parts += reason.state + reason.texts + reason.successors + reason.popular + reason.new_item + reason.norm
        assert parts == pytest.approx(served["score"], abs=1e-4)
        events = sum(event.share for event in reason.events)
        whole = events + reason.stated + reason.popular + reason.new_item + reason.norm
        assert whole == pytest.approx(served["score"], abs=1e-4)
    for interest, shown_interest in zip(found.interests, row["interests"], strict=False):
        assert interest.name == shown_interest["name"]
        assert interest.weight == pytest.approx(shown_interest["weight"])
        assert sum(part.weight for part in interest.events) + interest.stated == pytest.approx(
            interest.weight, abs=1e-6
        )


def test_masked_events_have_no_say_in_texts(world: World, engine: Engine) -> None:
    """With every event's concept masked, nothing is alike to a text any more, and the state alone knows the events."""
    every: Said = [(f"concept {number}", "mask", 0.0) for number in range(1, tiny.SHAPE.n_concepts)]
    source = adapt(engine, world.dataset, overlay=saying(u08=every))
    histories = read_histories(world.dataset)
    ids = world.dataset.users
    user = pq.read_table(ids)["user_id"].to_pylist().index("u08")
    own = histories.take([user])
    found = source.corrections.of(pa.chunked_array([["u08"]])) if source.corrections else None
    assert found is not None
    profiles = engine.profile(own, found[1])
    kept = found[1].remembered(own)
    belongs = concepts_of_items(engine.shelf.directions, engine.learned.centres)[own.items]
    assert np.array_equal(kept, belongs <= 0)
    bare = engine.profile(own.where(kept))
    dim = tiny.SHAPE.dim
    assert np.allclose(profiles.query[0, dim:], bare.query[0, dim:], atol=1e-6)


def test_a_graph_serves_masks_exactly(world: World, engine: Engine, tmp_path: Path) -> None:
    """With a graph of neighbours masked users get the lists that exact search gives."""
    settings = IndexSettings(method="hnsw")
    index = make_index(Engine.load(world.bundle.root, threads=1), world.dataset, tmp_path / "index", settings)
    graph = Engine.load(world.bundle.root, index.root, threads=1)
    assert isinstance(graph.shelf.index, HnswIndex)
    for user in ("u08", "u03"):
        said: Said = [("concept 1", "mask", 0.0), ("concept 3", "mask", 0.0)]
        overlay = saying(**{user: said})
        exact, found = (portray(one, world.dataset, user, 5, overlay).row for one in (engine, graph))
        assert shown(found) == shown(exact)


def test_blocks_of_users_leave_no_seam(
    world: World, engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Users who mask the same are ranked a few at a time, with the lists of all together."""
    users = pq.read_table(world.dataset.users)["user_id"].to_pylist()
    said: Said = [("concept 1", "mask", 0.0)]
    overlay = saying(**dict.fromkeys(users, said))
    whole = rows(serve_batch(engine, world.dataset, tmp_path / "whole", top_k=TOP, overlay=overlay)[0])
    monkeypatch.setattr(correcting, "BLOCK_SCORES", 1)
    parts = rows(serve_batch(engine, world.dataset, tmp_path / "parts", top_k=TOP, overlay=overlay)[0])
    assert {user: shown(row) for user, row in whole.items()} == {user: shown(row) for user, row in parts.items()}


def test_an_older_bundle_says_what_to_do(world: World, tmp_path: Path) -> None:
    """Without centres a mask is refused with the remedy; a factor needs none."""
    with drafting(tmp_path / "old", "bundle") as draft:
        for path in world.bundle.root.iterdir():
            if path.name not in {CENTRES_FILE, "manifest.json"}:
                (draft.path / path.name).write_bytes(path.read_bytes())
        draft.seal(tiny.BUNDLE, {"run": "1" * 64})
    old = Bundle.open(tmp_path / "old")
    index = make_index(Engine.load(old.root, threads=1), world.dataset, tmp_path / "index", IndexSettings())
    engine = Engine.load(old.root, index.root, threads=1)
    assert portray(engine, world.dataset, "u08", 3, saying(u08=[("concept 1", "scale", 2.0)])).row
    with pytest.raises(ArtefactError, match=r"centres\.npy is missing.*Export the bundle again"):
        understand(engine, saying(u08=[("concept 1", "mask", 0.0)]))
    assert understand(engine, saying(u08=[("gone", "mask", 0.0)])) is not None
