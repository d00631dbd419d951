"""Erasure over everything at once: nothing is left, a stopped run is mended, nobody goes by half."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from engine_runtime.artefacts import replacing as replacing_module
from engine_runtime.artefacts.dataset import Dataset
from engine_runtime.artefacts.index import IndexArtefact
from engine_runtime.artefacts.output import Output
from engine_runtime.artefacts.overlay import Correction, change, read_overlay
from engine_runtime.artefacts.receipt import request_digest
from engine_runtime.artefacts.replacing import folder_of
from engine_runtime.artefacts.writing import put_in_place
from engine_runtime.data.survey import Request
from engine_runtime.inference.cache import VectorCache
from engine_runtime.search.building import IndexSettings, open_index
from engine_runtime.serve.engine import Engine
from engine_runtime.serve.erasure import erase
from engine_runtime.serve.indexing import make_index
from engine_runtime.serve.sought import Places, find
from kept_shop import Kept
from tiny import World, shop_items


@pytest.fixture
def kept(world: World, engine: Engine, tmp_path: Path) -> Kept:
    return Kept(world, engine, tmp_path)


def users_in(path: Path) -> set[str]:
    """Ids in a file."""
    return set(pq.read_table(path, columns=["user_id"])["user_id"].to_pylist())


def test_users_leave_everything(kept: Kept) -> None:
    """Data set and outputs; parents name what was written anew, and the receipt says so without a name."""
    index = IndexArtefact.open(kept.index).manifest.digest
    receipt = kept.forget("u03", "u08")
    dataset, first, second = Dataset.open(kept.dataset), Output.open(kept.first), Output.open(kept.second)
    assert not {"u03", "u08"} & (users_in(dataset.users) | users_in(first.state) | users_in(second.state))
    assert first.manifest.parents["dataset"] == second.manifest.parents["dataset"] == dataset.manifest.digest
    assert second.manifest.parents["output"] == first.manifest.digest
    assert IndexArtefact.open(kept.index).manifest.digest == index
    assert receipt.scan.traces == ()
    assert receipt.scan.vectors == 4
    removed = {Path(one.path).name: one.removed for one in receipt.artefacts}
    assert removed["dataset"] == {"users": 2, "events": 11}
    assert removed["first"] == {"rows": 2, "states": 2}
    assert receipt.requested.sha256 == request_digest(receipt.requested.salt, ["user u08", "user u03"])
    assert "u03" not in str(receipt)
    assert receipt.seconds_per_user is not None


def test_a_user_who_is_in_an_output_alone(kept: Kept) -> None:
    """The data set may have lost the user by another way."""
    only = Places((kept.dataset,))
    erase(find(Request(frozenset({"u03"})), only))
    receipt = kept.forget("u03")
    assert [one.removed for one in receipt.artefacts if one.kind == "dataset"] == [{}]
    assert "u03" not in users_in(Output.open(kept.first).state)


@pytest.mark.parametrize("stopped_at", [1, 2, 3])
def test_a_run_that_was_stopped_is_mended(kept: Kept, monkeypatch: pytest.MonkeyPatch, stopped_at: int) -> None:
    """Wherever it was stopped, the same call once more leaves what one whole call leaves."""
    whole = kept.dataset.parent / "whole"
    shutil.copytree(kept.dataset, whole)
    erase(find(Request(frozenset({"u03"})), Places((whole,))))
    calls = 0

    def stop(temporary: Path, target: Path, retired: Path) -> None:
        nonlocal calls
        calls += 1
        if calls == stopped_at:
            raise KeyboardInterrupt
        put_in_place(temporary, target, retired)

    monkeypatch.setattr(replacing_module, "put_in_place", stop)
    with pytest.raises(KeyboardInterrupt):
        kept.forget("u03")
    monkeypatch.undo()
    assert kept.forget("u03").scan.traces == ()
    dataset = Dataset.open(kept.dataset)
    assert dataset.manifest.digest == Dataset.open(whole).manifest.digest
    first, second = Output.open(kept.first).manifest, Output.open(kept.second).manifest
    assert first.parents["dataset"] == second.parents["dataset"] == dataset.manifest.digest
    assert second.parents["output"] == first.digest


def test_what_a_killed_run_left_is_removed(kept: Kept) -> None:
    """A process that was killed after the exchange leaves the data set of before; the next call takes it away."""
    left = folder_of(kept.dataset) / "replaced"
    shutil.copytree(kept.dataset, left)
    erase(find(Request(frozenset({"u03"})), Places((kept.dataset,))))
    shutil.copytree(kept.first, folder_of(kept.dataset) / "content")
    receipt = erase(find(Request(frozenset({"u03"})), Places((kept.dataset,))))
    assert not folder_of(kept.dataset).exists()
    assert receipt.scan.traces == ()


def test_an_item_leaves_the_index_and_its_graph(kept: Kept, world: World) -> None:
    """Catalogue, vectors and graph are those of an index that never held it."""
    item = shop_items()[9].id
    receipt = kept.forget(items=(item,))
    assert receipt.scan.traces == ()
    assert receipt.scan.vectors > 0
    index, dataset = IndexArtefact.open(kept.index), Dataset.open(kept.dataset)
    settings = IndexSettings("hnsw", 8, 50)
    expected = make_index(Engine.load(kept.bundle, threads=1), dataset, kept.index.parent / "expected", settings)
    found, wanted = open_index(index)[0], open_index(expected)[0]
    assert np.array_equal(found.vectors, wanted.vectors)
    assert index.info == expected.info
    assert index.manifest.digest == expected.manifest.digest
    listed = pq.read_table(Output.open(kept.first).part(0))["recommendations"].to_pylist()
    assert item not in str(listed)


def test_a_text_leaves_the_cache_unless_another_item_has_it(kept: Kept, tmp_path: Path) -> None:
    """i00 and i02 have one text; that of i09 is its own."""
    items = {item.id: item.title for item in shop_items()}
    texts = [items["i00"], items["i09"]]
    cache = VectorCache(tmp_path / "vectors", "0" * 64, "fp32")
    with cache.opened("item", 4) as held:
        held.write(texts, np.ones((2, 4), np.float32))
    places = Places((kept.dataset,), cache=cache.folder)
    receipt = erase(find(Request(items=frozenset({"i02", "i09"})), places))
    assert receipt.cached == 1
    with cache.opened("item", 4) as held:
        assert held.read(texts, np.zeros((2, 4), np.float32)).tolist() == [True, False]


def test_corrections_leave_their_file(kept: Kept, tmp_path: Path) -> None:
    """Corrections of the user go and those of others stay; one who is in the file alone is found there."""
    said = tmp_path / "said.json"
    mask = (Correction("c", "mask", 0.0, "2026-11-28T00:00:00Z"),)
    change(said, lambda overlay: replace(overlay, users=dict.fromkeys(("u03", "u04", "gone"), mask)))
    receipt = erase(find(Request(frozenset({"u03", "gone"})), Places((kept.dataset,), overlay=said)))
    assert set(read_overlay(said).users) == {"u04"}
    assert receipt.corrected == 2
    assert not receipt.scan.traces


def test_a_log_that_names_the_user_is_found(kept: Kept, tmp_path: Path) -> None:
    """A place that is only looked through is named in the receipt, without the id."""
    log = tmp_path / "web.log"
    log.write_text('{"user": "u03", "page": 3}\n{"user": "u033"}\nfor user u03.\n')
    places = Places((kept.dataset,), scanned=(log,))
    traces = erase(find(Request(frozenset({"u03"})), places)).scan.traces
    assert [(trace.path, trace.place, trace.what, trace.count) for trace in traces] == [(str(log), "text", "user", 2)]
