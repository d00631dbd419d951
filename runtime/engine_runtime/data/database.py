"""The database of a command: DuckDB in a directory of its own, within a memory that it is given.

Knows DuckDB and its ways to fail; knows nothing of what is done in it. What does not fit spills to the directory.
"""

from __future__ import annotations

import errno
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb

from engine_runtime.data.amounts import amount_of
from engine_runtime.errors import MachineError

if TYPE_CHECKING:
    from collections.abc import Iterator

RESERVED = 350_000_000
"""Bytes that the process holds beside DuckDB: Python and its packages, a block of a file, a bucket being written."""


@contextmanager
def database(work: Path, memory: str, threads: int | None) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open a database in the directory `work`; the process is to stay within `memory` (as ``"2GB"``) and `threads`.

    Raises
    ------
    UsageError
        `memory` is no amount.
    MachineError
        The limit is too small for the work.
    OSError
        ``ENOSPC``: the disk is full.
    """
    share = _share(memory)
    con = duckdb.connect(str(work / "ingest.duckdb"))
    try:
        con.execute(f"SET memory_limit = '{share // 1000} KB'")
        con.execute(f"SET temp_directory = {literal(str(work / 'spill'))}")
        con.execute("SET preserve_insertion_order = false")  # every reader sorts; keeping the order costs memory
        con.execute("SET TimeZone = 'UTC'")
        if threads is not None:
            con.execute(f"SET threads = {int(threads)}")
        yield con
    except duckdb.OutOfMemoryException as error:
        raise MachineError(
            f"{memory} of memory is too little for this data: {first_line(error)}. Raise --memory."
        ) from error
    except duckdb.IOException as error:
        if "space left" in str(error):
            raise OSError(errno.ENOSPC, "no space left on device", str(work)) from error
        raise MachineError(f"the working directory {work} failed: {first_line(error)}. Write elsewhere.") from error
    finally:
        con.close()


@contextmanager
def workspace(out: Path, memory: str, threads: int | None) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open a `database` in a directory beside `out`, on the disk that has to hold the result anyway."""
    with (
        tempfile.TemporaryDirectory(prefix=f".{out.name}.work.", dir=out.parent) as work,
        database(Path(work), memory, threads) as con,
    ):
        yield con


def _share(memory: str) -> int:
    """Bytes of `memory` that are DuckDB's own: what is left beside `RESERVED`, a quarter at least."""
    amount = amount_of(memory)
    return max(amount - RESERVED, amount // 4)


def scalar(con: duckdb.DuckDBPyConnection, query: str) -> Any:
    """Return the one cell that `query` selects."""
    return con.execute(query).fetchall()[0][0]


def literal(text: str) -> str:
    """Return `text` as an SQL string."""
    return "'" + text.replace("'", "''") + "'"


def first_line(error: Exception) -> str:
    """What an error says, without DuckDB's drawing of the statement."""
    return str(error).splitlines()[0]
