"""Rows spread over parts by the leading bits of their pseudonyms, so that no more than a part is sorted at a time.

Knows files of rows in a folder that is thrown away; knows nothing of what becomes of them.
"""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from engine_runtime.data.schema import USER_ID

PART_USERS = 32_768
MOST_PARTS = 1024


def parts_for(n_users: int) -> int:
    """How many parts a release has: a power of two, so that bits of pseudonyms say which."""
    wanted = -(-n_users // PART_USERS)
    return min(1 << max(0, wanted - 1).bit_length(), MOST_PARTS)


class Spread:
    """Rows spread over files by the leading bits of their pseudonyms; a context, which closes the files.

    Parameters
    ----------
    folder
        Where the files go.
    kind
        Schema of the rows.
    n_parts
        A power of two.
    """

    def __init__(self, folder: Path, kind: pa.Schema, n_parts: int) -> None:
        self.folder = folder
        self.kind = kind
        self.n_parts = n_parts
        self._open = ExitStack()
        self._writers: list[pq.ParquetWriter] = []

    def path(self, number: int) -> Path:
        """File of one part."""
        return self.folder / f"{number}.parquet"

    def __enter__(self) -> Spread:
        for number in range(self.n_parts):
            self._writers.append(self._open.enter_context(pq.ParquetWriter(self.path(number), self.kind)))
        return self

    def __exit__(self, *problem: object) -> None:
        self._open.close()

    def add(self, rows: pa.Table) -> None:
        """Add rows, each to its part."""
        leading = np.array([int(name[:4], 16) for name in rows[USER_ID].to_pylist()], np.int64)
        numbers = leading * self.n_parts >> 16
        for number in np.unique(numbers):
            self._writers[number].write_table(rows.filter(pa.array(numbers == number)))
