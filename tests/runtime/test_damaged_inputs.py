"""A corpus of damaged inputs: none hangs, ends in other than an `EngineError`, costs good rows, or is taken for sound.

A sample runs with the other tests. ``make damage`` runs all; the variable DAMAGED_INPUTS says how many. Case n is the
same wherever it runs.
"""

from __future__ import annotations

import faulthandler
import gzip
import io
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import damage
from damage import Chance, any_bytes, bad_cells, bad_document, bad_lines, flipped, pick
from engine_runtime.artefacts.bundle import Bundle
from engine_runtime.artefacts.dataset import Dataset
from engine_runtime.artefacts.index import IndexArtefact
from engine_runtime.artefacts.manifest import MANIFEST
from engine_runtime.artefacts.output import Output
from engine_runtime.data.config_file import parse_config
from engine_runtime.data.ingest import ingest
from engine_runtime.errors import ArtefactError, EngineError, InputError, UsageError
from engine_runtime.serve.batch import serve_batch
from engine_runtime.serve.engine import Engine
from sealed import damage_one, files_of, reseal
from shops import EVENTS, ITEMS, Shop, events
from tiny import CONFIG, World

SEED, SAMPLE = 20, 48
HANG_SECONDS = 600  # nothing here takes a hundredth of it; a hang ends the run and shows where it was
HEAD = ["user", "item", "time", "value"]
ROWS = [[f"u{n % 7}", f"i{n % 5}", str(1_600_000_000 + n), str(n)] for n in range(40)]
ITEM_ROWS = [[f"i{n}", f"thing {n}", f"{n}.5"] for n in range(5)]
SHOP_CONFIG = EVENTS + 'value = "value"\n' + ITEMS + 'price = "price"\n'
READERS: dict[str, Any] = {"bundle": Bundle, "dataset": Dataset, "index": IndexArtefact, "output": Output}

Row = tuple[str, str, int, float | None]


def number_of_cases() -> int:
    """How many cases run: a sample, unless the environment asks for more."""
    return int(os.environ.get("DAMAGED_INPUTS", SAMPLE))


@pytest.fixture(scope="module")
def output(world: World, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("served") / "output"
    serve_batch(world.engine(), world.dataset, out)
    return out


@pytest.fixture
def chance(case: int) -> Chance:
    return np.random.default_rng([SEED, case])


@pytest.fixture(autouse=True)
def no_hang() -> Iterator[None]:
    """End the run, and show where it was, if a case hangs, be it in another language's code."""
    faulthandler.dump_traceback_later(HANG_SECONDS, exit=True)
    yield
    faulthandler.cancel_dump_traceback_later()


@pytest.mark.parametrize("case", range(number_of_cases()))
def test_damage(case: int, chance: Chance, world: World, output: Path, tmp_path: Path) -> None:
    """A damaged input is refused by an error of this engine, or what is sound in it is kept."""
    kind = KINDS[case % len(KINDS)]
    if kind in ARTEFACT_KINDS:
        ARTEFACT_KINDS[kind](chance, world, output, tmp_path)
    else:
        FILE_KINDS[kind](chance, Shop(tmp_path))


def table(rows: list[list[str]], separator: str = ",") -> bytes:
    """Rows as the bytes of a file."""
    return "".join(separator.join(row) + "\n" for row in rows).encode()


def take(shop: Shop, events_file: Path, items: bytes | None = None) -> list[Row] | None:
    """Events that ingest takes, or None where it refuses the files with an error of its own."""
    catalogue = table([["id", "title", "price"], *ITEM_ROWS]) if items is None else items
    try:
        made = shop.ingest(events_file, catalogue, config=SHOP_CONFIG, threads=1)
    except (InputError, UsageError):
        return None
    taken = events(made)
    assert len(taken) == made.info.n_events
    return [(row["user"], row["item"], row["time"], row["value"]) for row in taken]


def as_row(row: list[str]) -> Row:
    """What a sound row becomes."""
    return row[0], row[1], int(row[2]), float(row[3])


def check_lines(found: list[Row] | None, sound: list[bytes], damaged: bytes) -> None:
    """Every row whose line is whole was taken, and no more rows are new than lines are.

    Lines after a quote that was opened are a cell's, up to the next quote, as in any CSV file: nothing is said of them.
    """
    lines = [line.rstrip(b"\r") for line in damaged.split(b"\n")]
    quoted = bool(sound[0]) and b'"' in damaged  # in JSON Lines a line is a row whatever is in it
    if sound[0] != lines[0].removeprefix(b"\xef\xbb\xbf"):
        return  # where the names of the columns are damaged, a refusal is all that can be had
    before = damaged.split(b'"')[0].split(b"\n")[:-1] if quoted else lines
    whole = {
        as_row(row) for row, line in zip(ROWS, sound[1:], strict=True) if line in [x.rstrip(b"\r") for x in before]
    }
    if not whole and found is None:
        return
    assert found is not None, "a whole file was refused for some of its rows"
    assert whole <= set(found)
    others = sum(line not in sound for line in lines)
    assert len([row for row in found if row not in {as_row(row) for row in ROWS}]) <= others


def csv_lines(chance: Chance, shop: Shop) -> None:
    """Lines of a CSV or TSV file are damaged."""
    name, separator = pick(chance, [("e.csv", ","), ("e.tsv", "\t")])
    content = table([HEAD, *ROWS], separator)
    damaged = bad_lines(content, chance)
    check_lines(take(shop, shop.write(name, damaged)), content.split(b"\n")[:-1], damaged)


def csv_bytes(chance: Chance, shop: Shop) -> None:
    """Bytes of a CSV file are damaged."""
    content = table([HEAD, *ROWS])
    damaged = pick(chance, [flipped, any_bytes])(content, chance)
    check_lines(take(shop, shop.write("e.csv", damaged)), content.split(b"\n")[:-1], damaged)


def csv_cells(chance: Chance, shop: Shop) -> None:
    """Cells hold odd numbers and texts; the other rows are all there, and no value is NaN or infinite."""
    rows = [list(row) for row in ROWS]
    touched = bad_cells(rows, chance)
    found = take(shop, shop.write("e.csv", table([HEAD, *rows])))
    assert found is not None
    assert {as_row(row) for number, row in enumerate(ROWS) if number not in touched} <= set(found)
    assert len(found) <= len(ROWS)
    assert all(row[3] is None or np.isfinite(row[3]) for row in found)


def csv_encoding(chance: Chance, shop: Shop) -> None:
    """A file is in another encoding, with and without a mark; what is taken is right."""
    encoding = pick(chance, damage.ENCODINGS)
    rows = [list(row) for row in ROWS]
    rows[int(chance.integers(len(rows)))][0] = "Zo\u00eb"
    content = table([HEAD, *rows]).decode().encode(encoding)
    found = take(shop, shop.write("e.csv", any_bytes(content, chance) if chance.random() < 0.5 else content))
    assert found is None or len(found) <= len(ROWS) + 2


def compressed(chance: Chance, shop: Shop) -> None:
    """A compressed file is damaged: it is refused, or was read to its end; Arrow's zstd has no checksum to go by."""
    content = table([HEAD, *ROWS])
    suffix, packed = pick(chance, [("gz", gzip.compress(content)), ("zst", pa.compress(content, "zstd", asbytes=True))])
    found = take(shop, shop.write(f"e.csv.{suffix}", any_bytes(packed, chance)))
    assert found is None or suffix == "zst" or sorted(found) == sorted(map(as_row, ROWS))


def json_lines(chance: Chance, shop: Shop) -> None:
    """Lines, bytes or values of a JSON Lines file are damaged."""
    sound = [json.dumps(dict(zip(HEAD, row, strict=True))).encode() for row in ROWS]
    lines = list(sound)
    if chance.random() < 0.5:
        for number in chance.integers(0, len(lines), 3):
            lines[number] = json.dumps(bad_document(json.loads(sound[number]), chance)).encode()
        damaged = b"\n".join(lines)
    else:
        damaged = pick(chance, [bad_lines, any_bytes])(b"\n".join(lines) + b"\n", chance)
    found = take(shop, shop.write("e.jsonl", damaged))
    if any(line in damaged.split(b"\n") for line in sound):
        check_lines(found, [b"", *sound], b"\n" + damaged)


def parquet_bytes(chance: Chance, shop: Shop) -> None:
    """Bytes of a Parquet file are damaged, its footer often: it is refused, or all is right."""
    buffer = io.BytesIO()
    columns = dict(zip(HEAD, zip(*ROWS, strict=True), strict=True))
    codec = pick(chance, ["zstd", "snappy", "none"])
    pq.write_table(pa.table(columns), buffer, compression=codec, write_page_checksum=True)
    content = buffer.getvalue()
    cut = int(chance.integers(0, len(content) - 8)) if chance.random() < 0.5 else 0
    found = take(shop, shop.write("e.parquet", content[:cut] + any_bytes(content[cut:], chance)))
    assert found is None or sorted(found) == sorted(map(as_row, ROWS))


def parquet_types(chance: Chance, shop: Shop) -> None:
    """Columns of a Parquet file are missing, empty or of another type: refused, or each row is taken or told of."""
    made = pa.table(dict(zip(HEAD, zip(*ROWS, strict=True), strict=True)))
    for name in chance.choice(HEAD, 2):
        number = np.arange(len(ROWS))
        others = [
            pa.nulls(len(ROWS)),
            pa.array(number - 3),
            pa.array(number * 1e306),
            pa.array([[str(n)] for n in number]),
            pa.array([{"a": int(n)} for n in number]),
            pa.array(number.astype("datetime64[s]")),
            pa.array(number.astype("timedelta64[s]")),
            pa.array([b"\xff%d" % n for n in number]),
            pa.array(number % 2 == 0),
            pa.array([str(n) for n in number]).dictionary_encode(),
            pa.array(number).cast(pa.decimal128(38, 10)),
            pa.array([np.nan, np.inf] * (len(ROWS) // 2)),
        ]
        position = made.column_names.index(name) if name in made.column_names else 0
        made = made.set_column(position, pick(chance, [name, name, name, f"{name}s"]), pick(chance, others))
    if chance.random() < 0.1:
        made = made.slice(0, 0)
    pq.write_table(made, shop.root / "e.parquet")
    found = take(shop, shop.root / "e.parquet")
    assert found is None or len(found) <= len(ROWS)


def item_lines(chance: Chance, shop: Shop) -> None:
    """The item file is damaged: events of items whose lines are whole are kept."""
    content = table([["id", "title", "price"], *ITEM_ROWS])
    damaged = pick(chance, [bad_lines, any_bytes])(content, chance)
    found = take(shop, shop.write("e.csv", table([HEAD, *ROWS])), damaged or b"\n")
    lines = [line.rstrip(b"\r") for line in damaged.split(b"\n")]
    whole = {line.split(b",")[0].decode() for line in content.split(b"\n")[1:-1] if line in lines}
    if lines[0] == b"id,title,price" and whole:
        assert found is not None, "a whole file was refused for some of its rows"
        assert {as_row(row) for row in ROWS if row[1] in whole} <= set(found)


def configurations(chance: Chance, shop: Shop) -> None:
    """A dataset.toml is damaged: refused, or used as it stands."""
    text = 'name = "shop"\n' + SHOP_CONFIG if chance.random() < 0.5 else 'name = "shop"\n' + CONFIG
    lines = text.splitlines()
    number = int(chance.integers(len(lines)))
    key = lines[number].split("=")[0]
    value = pick(chance, [*damage.NUMBERS, *map(repr, damage.ODD), "''", "'{id}'", "'%q'", "'('", "[1]", "['a', 'a']"])
    lines[number] = f"{key}= {value}"
    damaged = pick(chance, ["\n".join(lines), any_bytes(text.encode(), chance).decode("utf-8", "replace")])
    try:
        config = parse_config(damaged, "shop.toml")
        kinds = [config.events, config.items, config.users]
        files = [table([HEAD, *ROWS]), table([["id", "title", "price"], *ITEM_ROWS]), b"user,sex,age\nu1,f,3\n"]
        names = ["e.csv", "i.csv", "u.csv"]
        found = [[shop.write(name, file)] if kind else [] for kind, name, file in zip(kinds, names, files, strict=True)]
        ingest(config, found[0], found[1], found[2], shop.root / "dataset", threads=1)
    except (InputError, UsageError):
        return


def artefact_files(chance: Chance, world: World, output: Path, folder: Path) -> None:
    """A file of an artefact is damaged, gone or another's: it is not opened."""
    kind, root = pick(chance, list(roots(world, output).items()))
    copy = shutil.copytree(root, folder / "copy")
    path = pick(chance, [path for path in files_of(copy) if path.name != MANIFEST])
    if chance.random() < 0.1:
        path.unlink()
    else:
        path.write_bytes(any_bytes(path.read_bytes(), chance))
    with pytest.raises(ArtefactError):
        READERS[kind].open(copy)


def manifests(chance: Chance, world: World, output: Path, folder: Path) -> None:
    """A manifest is damaged: it is refused, or says what it said."""
    kind, root = pick(chance, list(roots(world, output).items()))
    copy = shutil.copytree(root, folder / "copy")
    content = (root / MANIFEST).read_bytes()
    document = json.loads(content)
    damaged = json.dumps(bad_document(document, chance)).encode()
    (copy / MANIFEST).write_bytes(damaged if chance.random() < 0.6 else any_bytes(content, chance))
    try:
        opened = READERS[kind].open(copy)
    except ArtefactError:
        return
    assert opened.manifest.digest == document["seal"]


def resealed(chance: Chance, world: World, output: Path, folder: Path) -> None:
    """A file was damaged before it was sealed: what is read of it is refused or used, and nothing else happens."""
    copies = {kind: shutil.copytree(root, folder / kind) for kind, root in roots(world, output).items()}
    damage_one([path for kind in ("bundle", "dataset", "index") for path in files_of(copies[kind])], chance)
    bundle = reseal(copies["bundle"])
    reseal(copies["index"], bundle=bundle.digest)
    reseal(copies["dataset"])
    try:
        engine = Engine.load(copies["bundle"], copies["index"], threads=1)
        serve_batch(engine, Dataset.open(copies["dataset"]), folder / "out")
        engine.encode(["red tea", "new words"])
    except EngineError:
        return
    assert len(pq.read_table(folder / "out" / "users")) == Output.open(folder / "out").info.n_users


def roots(world: World, output: Path) -> dict[str, Path]:
    """Folder of an artefact of each kind."""
    return {"bundle": world.bundle.root, "dataset": world.dataset.root, "index": world.index.root, "output": output}


ARTEFACT_KINDS: dict[str, Any] = {"artefact": artefact_files, "manifest": manifests, "resealed": resealed}
FILE_KINDS: dict[str, Any] = {
    "lines": csv_lines,
    "bytes": csv_bytes,
    "cells": csv_cells,
    "encoding": csv_encoding,
    "compressed": compressed,
    "json": json_lines,
    "parquet": parquet_bytes,
    "types": parquet_types,
    "items": item_lines,
    "toml": configurations,
}
KINDS = (*ARTEFACT_KINDS, *FILE_KINDS, "artefact", "manifest", "resealed")
