"""A search of files for what should not be in them any more: ids of users and items, and their vectors.

An id as short as ``1`` stands everywhere, so where it is looked for depends on its length. One of eight bytes or more
tells somebody by itself: it is looked for in every string cell and in the bytes of every file, as a word of its own. A
shorter one is looked for where an id of that kind stands: in cells of columns of that name, in the footer of their
files, and in text as ``user 17``, ``user_id=17`` or ``"user_id": 17``. A vector is looked for by its bytes, in decoded
columns of numbers and in files as they are.

Parquet is decoded column by column, gzip unpacked; all else is read as bytes. Knows files; knows no artefact.
"""

from __future__ import annotations

import gzip
import re
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass
from mmap import ACCESS_READ, mmap
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from engine_runtime.artefacts.receipt import ScanResult, TraceFound

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

Content = bytes | mmap

TELLING = 8
"""Bytes of an id that is looked for everywhere."""
COLUMNS = {"user": ("user_id", "user"), "item": ("item_id", "item")}
"""Names of string columns that hold ids of each kind."""
NAMED = rb"(?i)(?<![A-Za-z0-9])%s(?:[_ -]?id)?[\"']?\s{0,4}[:= \t]\s{0,4}[\"']?([^\s\"',;:&<>()\[\]{}]{1,64})"
"""An id that text names as one, as ``user 17`` or ``"user_id": "17"``."""
WORD = frozenset(b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_-")
PARQUET, ARRAY = b"PAR1", b"\x93NUMPY"
"""How files of columns, and of an array, begin; an array holds no text."""
ROWS = 65_536


@dataclass(frozen=True)
class Wanted:
    """What is looked for: ids of users and of items, and vectors, float32 as bytes."""

    users: frozenset[str] = frozenset()
    items: frozenset[str] = frozenset()
    vectors: frozenset[bytes] = frozenset()

    @property
    def kinds(self) -> dict[str, frozenset[str]]:
        """The ids by what they are of."""
        return {"user": self.users, "item": self.items}


def scan(places: Iterable[Path], wanted: Wanted) -> ScanResult:
    """Look through all files of some folders.

    Parameters
    ----------
    places
        Files or folders; a folder with all that is in it.
    wanted
        What should not be there.

    Raises
    ------
    OSError
        A file cannot be read.
    """
    traces: list[TraceFound] = []
    n_files = n_bytes = 0
    for path in dict.fromkeys(path for place in places for path in _files(place)):
        n_files, n_bytes = n_files + 1, n_bytes + path.stat().st_size
        with _opened(path) as content:
            found = _look(path, content, wanted)
        traces += [TraceFound(str(path), place, what, count) for (place, what), count in sorted(found.items())]
    return ScanResult(n_files, n_bytes, len(wanted.vectors), tuple(traces))


def _files(place: Path) -> list[Path]:
    return sorted(path for path in place.rglob("*") if path.is_file()) if place.is_dir() else [place]


@contextmanager
def _opened(path: Path) -> Iterator[Content]:
    """A file's bytes, unpacked where they are packed; not read before they are looked at."""
    if path.suffix == ".gz":
        yield gzip.decompress(path.read_bytes())
    elif not path.stat().st_size:
        yield b""
    else:
        with path.open("rb") as stream, mmap(stream.fileno(), 0, access=ACCESS_READ) as mapped:
            yield mapped


def _look(path: Path, content: Content, wanted: Wanted) -> Counter[tuple[str, str]]:
    found = _in_bytes(content, wanted)
    if content[:4] == PARQUET == content[-4:]:
        return found + _in_columns(path, wanted)
    return found if content[:6] == ARRAY else found + _in_text(content, wanted)


def _in_bytes(content: Content, wanted: Wanted) -> Counter[tuple[str, str]]:
    """Telling ids and vectors, anywhere."""
    found: Counter[tuple[str, str]] = Counter()
    for kind, ids in wanted.kinds.items():
        found["bytes", kind] = sum(_count(content, name) for name in _encoded(ids) if len(name) >= TELLING)
    found["bytes", "vector"] = sum(content.find(vector) >= 0 for vector in wanted.vectors)
    return +found


def _in_text(content: Content, wanted: Wanted) -> Counter[tuple[str, str]]:
    """Other ids, where text names them as ids of their kind."""
    found: Counter[tuple[str, str]] = Counter()
    for kind, ids in wanted.kinds.items():
        short = {name for name in _encoded(ids) if len(name) < TELLING}
        named = re.finditer(NAMED % kind.encode(), content) if short else ()
        found["text", kind] = sum(match[1].rstrip(b".") in short for match in named)
    return +found


def _encoded(ids: frozenset[str]) -> list[bytes]:
    return [name.encode("utf-8", "surrogatepass") for name in ids]


def _count(content: Content, name: bytes) -> int:
    """How often a name stands as a word of its own."""
    count, start = 0, content.find(name)
    while start >= 0:
        stop = start + len(name)
        begins = not start or content[start - 1] not in WORD
        count += begins and (stop == len(content) or content[stop] not in WORD)
        start = content.find(name, start + 1)
    return count


def _in_columns(path: Path, wanted: Wanted) -> Counter[tuple[str, str]]:
    """What the columns of a Parquet file hold once decoded, and what its footer says of their least and greatest."""
    found: Counter[tuple[str, str]] = Counter()
    sought = _Vectors(wanted.vectors)
    with pq.ParquetFile(path) as file:
        for group in range(file.num_row_groups):
            found += _in_footer(file.metadata.row_group(group), wanted)
        for batch in file.iter_batches(ROWS):
            for name, leaf in _leaves(batch):
                place = f"column {name}"
                if pa.types.is_floating(leaf.type):
                    found[place, "vector"] += sought.count(leaf)
                else:
                    for kind, ids in wanted.kinds.items():
                        found[place, kind] += _in_cells(leaf, name.rpartition(".")[2], kind, ids)
    return +found  # what was found at least once


def _in_footer(group: pq.RowGroupMetaData, wanted: Wanted) -> Counter[tuple[str, str]]:
    found: Counter[tuple[str, str]] = Counter()
    for number in range(group.num_columns):
        column = group.column(number)
        name = column.path_in_schema.rpartition(".")[2]
        for kind, ids in wanted.kinds.items():
            if name in COLUMNS[kind] and column.is_stats_set and column.statistics.has_min_max:
                ends = {column.statistics.min, column.statistics.max}
                found[f"footer of {name}", kind] += len(ends & ids)
    return found


def _leaves(batch: pa.RecordBatch) -> Iterator[tuple[str, pa.Array]]:
    """The columns of a batch with all lists and structs taken apart."""
    waiting = list(zip(batch.schema.names, batch.columns, strict=True))
    while waiting:
        name, column = waiting.pop()
        if pa.types.is_struct(column.type):
            parts = zip(column.type, column.flatten(), strict=True)
            waiting += [(f"{name}.{field.name}", part) for field, part in parts]
        elif isinstance(column, pa.ListArray | pa.LargeListArray | pa.FixedSizeListArray):
            waiting.append((name, column.flatten()))
        elif isinstance(column, pa.DictionaryArray):
            waiting.append((name, column.dictionary_decode()))
        else:
            yield name, column


def _in_cells(leaf: pa.Array, name: str, kind: str, ids: frozenset[str]) -> int:
    """Cells of a column that are an id; of any column where they are, or hold, a telling one."""
    if not ids:
        return 0
    if pa.types.is_integer(leaf.type) and name == f"{kind}_id":  # of files that this engine did not write
        leaf = leaf.cast(pa.string())
    if not pa.types.is_string(leaf.type) and not pa.types.is_large_string(leaf.type):
        return 0
    if name in COLUMNS[kind]:
        return int(pc.sum(pc.is_in(leaf, pa.array(sorted(ids), leaf.type))).as_py() or 0)
    telling = [name for name in _encoded(ids) if len(name) >= TELLING]
    text = "\n".join(cell for cell in pc.unique(leaf).to_pylist() if cell) if telling else ""
    return sum(_count(text.encode(), name) for name in telling)


class _Vectors:
    """Vectors that are looked for in columns of float32, wherever they begin."""

    def __init__(self, vectors: frozenset[bytes]) -> None:
        self._vectors = [np.frombuffer(vector, np.uint32) for vector in sorted(vectors)]
        self._firsts = np.array([vector[0] for vector in self._vectors], np.uint32)

    def count(self, leaf: pa.Array) -> int:
        if not self._vectors or leaf.type != pa.float32():
            return 0
        words: npt.NDArray[Any] = leaf.fill_null(0).to_numpy(zero_copy_only=False).view(np.uint32)
        starts = np.flatnonzero(np.isin(words, self._firsts))
        return sum(
            np.array_equal(words[start : start + len(vector)], vector)
            for start in starts.tolist()
            for vector in self._vectors
            if vector[0] == words[start]
        )
