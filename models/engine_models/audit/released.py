"""A set of served profiles as an auditor reads it: rows by user, vectors by column, whatever columns are left.

Reads what `engine serve-batch` writes, and outputs made of it in which ids are pseudonyms and columns are missing or
null. Knows files, columns and ids; knows nothing of models or attacks.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from engine_runtime.artefacts.manifest import Manifest, artefact_kind, read_manifest, verify_files
from engine_runtime.artefacts.output import USERS_FOLDER
from engine_runtime.data.schema import USER_ID
from engine_runtime.errors import ArtefactError

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]

VECTORS = ("concepts", "query")
"""Columns that hold vectors."""

BLOCK_ROWS = 8192


@dataclass(frozen=True)
class Release:
    """Profiles on disk.

    Attributes
    ----------
    root, manifest
        The artefact; its files are verified.
    ids
        ``user_id`` of each row, in the order of the parts.
    columns
        Names of the columns that are there.
    """

    root: Path
    manifest: Manifest
    ids: pa.ChunkedArray
    columns: tuple[str, ...]

    @classmethod
    def open(cls, root: Path) -> Release:
        """Open and verify the profiles in `root`; raises `ArtefactError`."""
        manifest = read_manifest(root, artefact_kind(root))
        verify_files(root, manifest)
        parts = _parts(root)
        if not parts:
            raise ArtefactError(
                f"{root} holds the artefact '{manifest.kind}', which has no profiles: {USERS_FOLDER}/*.parquet was "
                "looked for. Name what `engine serve-batch` wrote."
            )
        columns = tuple(_schema(parts[0]).names)
        if USER_ID not in columns:
            raise ArtefactError(f"{parts[0]} has no column {USER_ID}. Name what `engine serve-batch` wrote.")
        ids = pa.chunked_array([chunk for part in parts for chunk in _column(part, USER_ID)], pa.string())
        return cls(root, manifest, ids, columns)

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.ids)

    def tables(self, columns: Sequence[str]) -> Iterator[pa.Table]:
        """Some columns of all rows, in blocks of at most `BLOCK_ROWS`, in order."""
        for part in _parts(self.root):
            with pq.ParquetFile(part) as opened:
                for batch in opened.iter_batches(BLOCK_ROWS, columns=list(columns)):
                    yield pa.Table.from_batches([batch])

    def vectors(self, columns: Sequence[str]) -> Iterator[dict[str, Floats]]:
        """Vectors of all rows, block by block: float32 [rows, width] by column; NaN where a row has none.

        A block in which nobody has a vector is [rows, 0].
        """
        for table in self.tables(columns):
            yield {name: vectors_of(table[name].combine_chunks(), self.root) for name in columns}

    def take(self, columns: Sequence[str], rows: Ints) -> dict[str, Floats]:
        """Vectors of the rows numbered, by column: float32 [rows, width]; a column without any vector is left out."""
        parts: dict[str, list[tuple[Ints, Floats]]] = {name: [] for name in columns}
        start = 0
        for block in self.vectors(columns):
            n_rows = len(next(iter(block.values())))
            here = np.flatnonzero((rows >= start) & (rows < start + n_rows))
            for name, values in block.items():
                if values.shape[1]:
                    parts[name].append((here, values[rows[here] - start]))
            start += n_rows
        return {name: _together(found, len(rows)) for name, found in parts.items() if found}


def vectors_of(column: pa.Array, root: Path) -> Floats:
    """Lists of one width as float32 [rows, width], NaN in the rows that are null; [rows, 0] where all are.

    Raises
    ------
    ArtefactError
        They are no lists of numbers of one width.
    """
    there = column.is_valid().to_numpy(zero_copy_only=False)
    if not there.any():
        return np.zeros((len(column), 0), np.float32)
    try:
        flat = column.drop_null().flatten().cast(pa.float32()).to_numpy(zero_copy_only=False)
        values = flat.reshape(int(there.sum()), -1)
    except (pa.ArrowException, AttributeError, ValueError) as error:
        raise ArtefactError(f"{root} has a column of vectors that cannot be read: {error}.") from error
    found = np.full((len(column), values.shape[1]), np.nan, np.float32)
    found[there] = values
    return found


def _parts(root: Path) -> list[Path]:
    return sorted((root / USERS_FOLDER).glob("*.parquet"))


def _schema(part: Path) -> pa.Schema:
    try:
        return pq.read_schema(part)
    except (pa.ArrowException, OSError) as error:
        raise ArtefactError(f"{part} cannot be read: {error}. Serve again.") from error


def _column(part: Path, name: str) -> list[pa.Array]:
    try:
        return list(pq.read_table(part, columns=[name])[name].cast(pa.string()).chunks)
    except (pa.ArrowException, OSError, KeyError) as error:
        raise ArtefactError(f"{part} cannot be read: {error}. Serve again.") from error


def _together(found: list[tuple[Ints, Floats]], n_rows: int) -> Floats:
    joined = np.full((n_rows, found[0][1].shape[1]), np.nan, np.float32)
    for places, values in found:
        joined[places] = values
    return joined
