"""An output without some of its users, or without an item among the recommendations.

Rows that stay are kept bit by bit, in the blocks that serving cuts, so that a part is what `serve-batch` writes where
it computes the same numbers for them. Files in which nothing has to go are not written again but linked. Knows outputs;
knows nothing of models, and needs none.
"""

from __future__ import annotations

import dataclasses
import os
import shutil
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from engine_runtime.artefacts import output as layout
from engine_runtime.artefacts.manifest import FileRecord, Manifest, file_record
from engine_runtime.artefacts.writing import Draft, seal
from engine_runtime.data.reading import BLOCK_USERS, cuts
from engine_runtime.data.schema import ITEM_ID, N_EVENTS, USER_ID
from engine_runtime.errors import ArtefactError
from engine_runtime.serve.output import schema

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from engine_runtime.artefacts.output import Output

RECOMMENDATIONS = "recommendations"
VECTORS = ("query", "concepts")
COUNTED = {layout.STATE_FILE: "states", layout.GONE_FILE: "gone"}


@dataclass(frozen=True)
class Held:
    """What an output holds of some users and items.

    Attributes
    ----------
    users
        Ids of those users who are in it anywhere.
    items
        Ids of those items that are recommended.
    vectors
        Query and concepts of their rows, float32 as bytes; none that another row has too.
    """

    users: frozenset[str]
    items: frozenset[str]
    vectors: frozenset[bytes]


def look_up(output: Output, users: frozenset[str], items: frozenset[str]) -> Held:
    """Look for users and items in an output; reads their columns alone. Raises `ArtefactError`."""
    found: set[str] = set()
    recommended: set[str] = set()
    for path, is_part in _files(output):
        with _reading(path):
            ids = pq.read_table(path, columns=[USER_ID])[USER_ID]
            found |= set(ids.filter(_among(ids, users)).to_pylist())
            if is_part and items:
                recommended |= _recommended(path) & items
    return Held(frozenset(found), frozenset(recommended), _vectors(output, users) if found else frozenset())


def _files(output: Output) -> Iterator[tuple[Path, bool]]:
    """Each file of an output that has a column of users' ids, and whether it is a part."""
    for name in output.manifest.files:
        if _names_users(output.root / name):
            yield output.root / name, _is_part(name)


def _is_part(name: str) -> bool:
    return name.startswith(f"{layout.USERS_FOLDER}/")


def _names_users(path: Path) -> bool:
    with _reading(path):
        return path.suffix == ".parquet" and USER_ID in pq.read_schema(path).names


def forget_rows(
    output: Output, users: frozenset[str], items: frozenset[str], parents: Mapping[str, str], draft: Draft
) -> tuple[Manifest, dict[str, int]]:
    """Write an output anew without some users, and without some items in anybody's recommendations.

    Parameters
    ----------
    output
        Stays as it is.
    users, items
        Ids.
    parents
        New digest of each artefact that was written anew, by the old one: an output names what it was made from.
    draft
        Where the new one goes; sealed when this returns.

    Returns
    -------
    manifest : Manifest
        Of the new one.
    removed : dict
        How many ``rows``, ``states``, ``gone`` and ``recommendations`` were removed.
    """
    removed = dict.fromkeys(("rows", "states", "gone", "recommendations"), 0)
    events = without_events = 0
    records: dict[str, FileRecord] = {}
    for name, record in output.manifest.files.items():
        path, target = output.root / name, draft.path / name
        target.parent.mkdir(parents=True, exist_ok=True)
        with _reading(path):
            lost, n_recommended = _lost(path, users, items) if _names_users(path) else (np.zeros(0, np.bool_), 0)
            if not lost.any() and not n_recommended:
                _link(path, target)
                records[name] = record
                continue
            if not _is_part(name):
                removed[COUNTED.get(name, path.stem)] = _filter_groups(path, target, users)
            else:
                counts = pq.read_table(path, columns=[N_EVENTS])[N_EVENTS].to_numpy()[lost]
                events, without_events = events + int(counts.sum()), without_events + int((counts == 0).sum())
                removed["rows"] += int(lost.sum())
                removed["recommendations"] += n_recommended
                _rewrite_part(path, target, users, items)
        records[name] = file_record(target)
    info = output.info
    unchanged = removed["states"] - removed["rows"] if layout.STATE_FILE in records else 0
    described = dataclasses.replace(
        info,
        n_users=info.n_users - removed["rows"],
        n_events=info.n_events - events,
        n_without_events=info.n_without_events - without_events,
        n_unchanged=max(info.n_unchanged - unchanged, 0),
        n_gone=info.n_gone - removed["gone"],
    )
    draft.manifest = _seal(output, draft, described, parents, records)
    return draft.manifest, removed


def _seal(
    output: Output, draft: Draft, info: Any, parents: Mapping[str, str], records: dict[str, FileRecord]
) -> Manifest:
    """Seal as the version that served: a later run may go on from its rows as before."""
    made_from = {kind: parents.get(digest, digest) for kind, digest in output.manifest.parents.items()}
    return seal(draft.path, layout.KIND, info, made_from, records, made_by=output.manifest.creator)


def _lost(path: Path, users: frozenset[str], items: frozenset[str]) -> tuple[npt.NDArray[np.bool_], int]:
    """Which rows of a file go: bool [rows]; how many recommendations go from the rows that stay."""
    ids = pq.read_table(path, columns=[USER_ID])[USER_ID]
    lost = _among(ids, users).to_numpy(zero_copy_only=False)
    if not items or RECOMMENDATIONS not in pq.read_schema(path).names:
        return lost, 0
    lists = pq.read_table(path, columns=[RECOMMENDATIONS])[RECOMMENDATIONS].combine_chunks()
    named = _among(lists.flatten().field(ITEM_ID), items).to_numpy(zero_copy_only=False)
    rows = lists.value_parent_indices().to_numpy()
    return lost, int((named & ~lost[rows]).sum())


def _rewrite_part(path: Path, target: Path, users: frozenset[str], items: frozenset[str]) -> None:
    """Write a part without some users: the blocks of those who stay are cut as serving cuts them."""
    with pq.ParquetFile(path) as file:
        written = _written_schema(file.schema_arrow)
        lengths = pq.read_table(path, columns=[USER_ID, N_EVENTS])
        kept = lengths.filter(pc.invert(_among(lengths[USER_ID], users)))[N_EVENTS].to_numpy().astype(np.int64)
        rest = _Rows(file, users, items)
        with pq.ParquetWriter(target, written, compression="zstd") as writer:
            for start, stop in pairwise(cuts(kept)):
                writer.write_table(rest.next(stop - start).cast(written))


def _written_schema(found: pa.Schema) -> pa.Schema:
    """The schema that serving gave a part; what a reader makes of it names the elements of lists otherwise."""
    given = schema(found.field("query").type.list_size, found.field("concepts").type.list_size)
    return given if given.names == found.names else found  # an earlier version served other columns


class _Rows:
    """The rows of a part that stay, as many at a time as are asked for."""

    def __init__(self, file: pq.ParquetFile, users: frozenset[str], items: frozenset[str]) -> None:
        self._batches = self._read(file, users, items)
        self._held = file.schema_arrow.empty_table()

    def next(self, count: int) -> pa.Table:
        """The next `count` rows, each column in one piece."""
        pieces = [self._held]
        while sum(map(len, pieces)) < count:
            pieces.append(next(self._batches))
        table = pa.concat_tables(pieces)
        self._held = table.slice(count)
        return table.slice(0, count).combine_chunks()

    @staticmethod
    def _read(file: pq.ParquetFile, users: frozenset[str], items: frozenset[str]) -> Iterator[pa.Table]:
        for batch in file.iter_batches(BLOCK_USERS, use_threads=False):
            table = pa.Table.from_batches([batch])
            table = table.filter(pc.invert(_among(table[USER_ID], users)))
            yield _without_items(table, items) if items else table


def _without_items(table: pa.Table, items: frozenset[str]) -> pa.Table:
    """Take items out of everybody's recommendations."""
    lists = table[RECOMMENDATIONS].combine_chunks()
    entries = lists.flatten()
    kept = pc.invert(_among(entries.field(ITEM_ID), items))
    lengths = np.bincount(lists.value_parent_indices().filter(kept).to_numpy(), minlength=len(lists))
    offsets = np.concatenate(([0], np.cumsum(lengths))).astype(np.int32)
    shorter = pa.ListArray.from_arrays(pa.array(offsets), entries.filter(kept), type=lists.type)
    place = table.schema.get_field_index(RECOMMENDATIONS)
    return table.set_column(place, table.schema.field(place), shorter)


def _filter_groups(path: Path, target: Path, users: frozenset[str]) -> int:
    """Write a list of users anew, group by group; return how many went."""
    removed = 0
    with pq.ParquetFile(path) as file, pq.ParquetWriter(target, file.schema_arrow, compression="zstd") as writer:
        for group in range(file.num_row_groups):
            table = file.read_row_group(group)
            rest = table.filter(pc.invert(_among(table[USER_ID], users))).combine_chunks()
            removed += len(table) - len(rest)
            if len(rest):
                writer.write_table(rest, row_group_size=len(rest))
    return removed


def _vectors(output: Output, users: frozenset[str]) -> frozenset[bytes]:
    """Vectors of some users' rows that no other row has: equal histories give equal vectors, which tell nobody."""
    own: dict[str, set[bytes]] = {name: set() for name in VECTORS}
    others: set[bytes] = set()
    parts = [path for path, is_part in _files(output) if is_part]
    for path in parts:
        with _reading(path):
            table = pq.read_table(path, columns=[USER_ID, N_EVENTS])
            mine = pc.and_(_among(table[USER_ID], users), pc.greater(table[N_EVENTS], 0))
            if pc.any(mine).as_py():
                table = pq.read_table(path, columns=list(VECTORS)).filter(mine)
                for name in VECTORS:
                    own[name] |= {row.tobytes() for row in _matrix(table[name])}
    firsts = {name: np.frombuffer(b"".join(row[:4] for row in own[name]), np.uint32) for name in VECTORS}
    for path in parts if any(own.values()) else ():
        with _reading(path):
            table = pq.read_table(path, columns=[USER_ID, *VECTORS])
            table = table.filter(pc.invert(_among(table[USER_ID], users)))
            for name in VECTORS:
                rows = _matrix(table[name])
                alike = np.isin(rows.view(np.uint32)[:, 0], firsts[name])
                others |= {row.tobytes() for row in rows[alike]}
    return frozenset(set[bytes]().union(*own.values()) - others)


def _matrix(column: pa.ChunkedArray) -> npt.NDArray[np.float32]:
    flat: npt.NDArray[np.float32] = column.combine_chunks().flatten().to_numpy()
    return flat.reshape(len(column), column.type.list_size)


def _recommended(path: Path) -> set[str]:
    lists = pq.read_table(path, columns=[RECOMMENDATIONS])[RECOMMENDATIONS].combine_chunks()
    return set(pc.unique(lists.flatten().field(ITEM_ID)).to_pylist())


def _among(ids: pa.ChunkedArray | pa.Array, wanted: frozenset[str]) -> Any:
    """Which of `ids` are wanted, as Arrow has it."""
    return pc.is_in(ids, pa.array(sorted(wanted), pa.string()))


def _link(path: Path, target: Path) -> None:
    """Give a file that is never written to again a second name; copy it where that cannot be done."""
    try:
        os.link(path, target)
    except OSError:
        shutil.copyfile(path, target)


@contextmanager
def _reading(path: Path) -> Iterator[None]:
    """Name the file where it cannot be read; raises `ArtefactError`."""
    try:
        yield
    except (pa.ArrowException, KeyError) as error:
        raise ArtefactError(f"{path} cannot be read: {error}. Serve again.") from error
