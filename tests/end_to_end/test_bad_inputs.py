"""Inputs that are wrong, each with its exit code and its message; what is good beside them is kept."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from end_to_end.command import Answer, engine, rows_of
from end_to_end.shop_files import Shop

Note = Callable[[str, Answer], None]
EVENTS = "customer,sku,what,when,units,price\n"
GOOD = "c1,s1,view,1700000000,1,2\nc1,s2,view,1700000100,1,2\nc1,s3,purchase,1700000200,1,2\n"
ITEMS = "sku,title,kind,brand,price\n" + "".join(f"s{item},thing {item},kind,maker,3\n" for item in range(1, 9))


def _ingest(shop: Shop, folder: Path, events: str | bytes = EVENTS + GOOD, items: str | bytes = ITEMS) -> Answer:
    for name, content in (("events.csv", events), ("items.csv", items)):
        (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    files = ("--config", shop.config, "--events", folder / "events.csv", "--items", folder / "items.csv")
    return engine("data", "ingest", *files, "--out", folder / "dataset")


def _count(folder: Path, what: str = "events/*") -> int:
    found = rows_of(f"select count(*) from '{folder}/dataset/{what}.parquet'")
    return int(found[0][0])


def _serve(shop: Shop, dataset: Path, out: Path, bundle: Path | None = None, index: Path | None = None) -> Answer:
    artefacts = ("--bundle", bundle or shop.bundle, "--index", index or shop.index)
    return engine("serve-batch", *artefacts, "--events", dataset, "--out", out)


def _expect(note: Note, name: str, answer: Answer, code: int, *said: str) -> None:
    note(name, answer)
    assert answer.code == code, answer.err
    assert "Traceback" not in answer.err
    for words in said:
        assert words in answer.err + answer.out


def test_a_missing_column(shop: Shop, tmp_path: Path, note: Note) -> None:
    """The column, the file and the columns found are named."""
    answer = _ingest(shop, tmp_path, "customer,sku,what\nc1,s1,view\n")
    _expect(note, "missing column", answer, 4, "when", "events.csv", "customer")


def test_an_unparsable_time(shop: Shop, tmp_path: Path, note: Note) -> None:
    """The row is rejected with its line; the others are kept."""
    answer = _ingest(shop, tmp_path, EVENTS + GOOD + "c1,s4,view,yesterday,1,2\n")
    _expect(note, "unparsable time", answer, 0, "events.csv:5")
    assert _count(tmp_path) == 3


def test_an_empty_file(shop: Shop, tmp_path: Path, note: Note) -> None:
    """An empty file is named."""
    _expect(note, "empty file", _ingest(shop, tmp_path, ""), 4, "events.csv", "empty")


def test_an_unknown_event_type(shop: Shop, tmp_path: Path, note: Note) -> None:
    """The row is rejected, and the message lists the types that are known."""
    answer = _ingest(shop, tmp_path, EVENTS + GOOD + "c1,s4,stare,1700000300,1,2\n")
    _expect(note, "unknown event type", answer, 0, "stare", "purchase")
    assert _count(tmp_path) == 3


def test_a_user_with_one_event(shop: Shop, tmp_path: Path, note: Note) -> None:
    """One event is enough for a profile and recommendations."""
    _ingest(shop, tmp_path, EVENTS + "c9,s5,view,1700000000,1,2\n")
    answer = _serve(shop, tmp_path / "dataset", tmp_path / "out")
    _expect(note, "user with one event", answer, 0)
    row = rows_of(f"select n_events, len(recommendations) from '{tmp_path}/out/users/*.parquet'")
    assert row == [(1, 10)]


def test_an_item_without_text(shop: Shop, tmp_path: Path, note: Note) -> None:
    """The item is kept, counted, and can be served."""
    answer = _ingest(shop, tmp_path, EVENTS + GOOD + "c1,x1,view,1700000300,1,2\n", ITEMS + "x1,,,,\n")
    _expect(note, "item without text", answer, 0, "items without text")
    assert _count(tmp_path) == 4
    assert _serve(shop, tmp_path / "dataset", tmp_path / "out").code == 0


def test_a_text_of_a_megabyte(shop: Shop, tmp_path: Path, note: Note) -> None:
    """A long text is kept whole and read as far as the encoder reads."""
    items = ITEMS + f"x1,{'word ' * 200_000},kind,maker,3\n"
    answer = _ingest(shop, tmp_path, EVENTS + GOOD + "c1,x1,view,1700000300,1,2\n", items)
    _expect(note, "text of 1 MB", answer, 0)
    assert _serve(shop, tmp_path / "dataset", tmp_path / "out").code == 0


def test_nul_and_lone_surrogates(shop: Shop, tmp_path: Path, note: Note) -> None:
    """Characters that stand for nothing never crash anything."""
    items = ITEMS.encode() + b'x1,"a\x00b \xed\xa0\x80 c",kind,maker,3\n'
    answer = _ingest(shop, tmp_path, EVENTS + GOOD + "c1,x1,view,1700000300,1,2\n", items)
    _expect(note, "NUL and lone surrogates", answer, 0)
    assert _serve(shop, tmp_path / "dataset", tmp_path / "out").code == 0


def test_chinese_text(shop: Shop, tmp_path: Path, note: Note) -> None:
    """Chinese texts are kept as they are and served."""
    items = ITEMS + "x1,情定河州,剧情,制片,3\n"
    answer = _ingest(shop, tmp_path, EVENTS + GOOD + "c1,x1,view,1700000300,1,2\n", items)
    _expect(note, "Chinese text", answer, 0)
    kept = rows_of(f"select title from '{tmp_path}/dataset/items.parquet' where item_id = 'x1'")
    assert kept == [("情定河州",)]
    assert _serve(shop, tmp_path / "dataset", tmp_path / "out").code == 0


def test_duplicate_item_ids(shop: Shop, tmp_path: Path, note: Note) -> None:
    """The first item of an id is kept, the others are rejected."""
    answer = _ingest(shop, tmp_path, items=ITEMS + "s1,another,kind,maker,3\n")
    _expect(note, "duplicate item ids", answer, 0, "items.csv:10")
    assert _count(tmp_path, "items") == 8


def test_a_truncated_graph(shop: Shop, tmp_path: Path, note: Note) -> None:
    """A bundle with a cut file is refused before anything runs."""
    bundle = shutil.copytree(shop.bundle, tmp_path / "bundle")
    graph = next(bundle.glob("refiner.int8.onnx"), bundle / "refiner.fp32.onnx")
    graph.write_bytes(graph.read_bytes()[:-100])
    answer = _serve(shop, shop.dataset, tmp_path / "out", bundle=bundle)
    _expect(note, "truncated ONNX", answer, 5, graph.name, "damaged")


def test_a_flipped_byte(shop: Shop, tmp_path: Path, note: Note) -> None:
    """An index with one flipped byte is refused, and the file is named."""
    index = shutil.copytree(shop.index, tmp_path / "index")
    graph = index / "hnsw.bin"
    content = bytearray(graph.read_bytes())
    content[len(content) // 2] ^= 1
    graph.write_bytes(bytes(content))
    answer = _serve(shop, shop.dataset, tmp_path / "out", index=index)
    _expect(note, "flipped byte in the index", answer, 5, "hnsw.bin", "damaged")


def _edited_bundle(shop: Shop, out: Path) -> Path:
    """A bundle whose manifest asks for a CPU that does not exist; another digest, so another bundle."""
    bundle = shutil.copytree(shop.bundle, out)
    path = bundle / "manifest.json"
    manifest = json.loads(path.read_text(encoding="utf-8"))
    manifest["seal"] = ""
    manifest["info"]["encoder"]["requires"] = {name: ["abacus"] for name in manifest["info"]["precisions"]}
    path.write_text(json.dumps(manifest), encoding="utf-8")
    return bundle


def test_an_index_of_another_bundle(shop: Shop, tmp_path: Path, note: Note) -> None:
    """Bundle and index have to belong together; both digests are named."""
    bundle = _edited_bundle(shop, tmp_path / "bundle")
    answer = _serve(shop, shop.dataset, tmp_path / "out", bundle=bundle)
    _expect(note, "index of another bundle", answer, 5, "was made from the bundle")


def test_a_precision_that_the_machine_lacks(shop: Shop, tmp_path: Path, note: Note) -> None:
    """A variant that would give wrong results here is refused, with what it needs."""
    bundle = _edited_bundle(shop, tmp_path / "bundle")
    answer = engine("index", bundle, shop.dataset, "--precision", "int8", "--out", tmp_path / "index")
    _expect(note, "wrong precision for the machine", answer, 3, "abacus", "fp32")


def test_a_full_disk(shop: Shop, tmp_path: Path, note: Note) -> None:
    """A full disk ends the run with a clear message and leaves nothing behind."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=40k", "tmpfs", str(disk)]
    if os.geteuid() != 0 or subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("a small tmpfs cannot be mounted here: that needs root")
    try:
        answer = _serve(shop, shop.dataset, disk / "out")
        _expect(note, "full disk", answer, 3, "disk is full")
        assert list(disk.iterdir()) == []
    finally:
        subprocess.run(["umount", str(disk)], check=True)
