"""The database of a command: its memory, and what becomes of its failures."""

from __future__ import annotations

import errno
from pathlib import Path

import duckdb
import pytest

from engine_runtime.data.database import database
from engine_runtime.errors import MachineError


@pytest.mark.parametrize(("said", "kind"), [("No space left on device", OSError), ("cannot seek", MachineError)])
def test_disk_errors(tmp_path: Path, said: str, kind: type[Exception]) -> None:
    """A full disk is told apart from other failures of the working directory."""
    with pytest.raises(kind) as caught, database(tmp_path, "1GB", 1):
        raise duckdb.IOException(said)
    if kind is OSError:
        assert isinstance(caught.value, OSError)
        assert caught.value.errno == errno.ENOSPC


def test_memory_is_that_of_the_process(tmp_path: Path) -> None:
    """What Python and its packages hold is taken off DuckDB's part; amounts are written with a unit, any case."""
    shares = {}
    for amount in ("2GB", "2 gb", "1.5GiB", "400MB"):
        with database(tmp_path, amount, 1) as con:
            shares[amount] = con.execute("SELECT current_setting('memory_limit')").fetchall()[0][0]
    assert shares == {"2GB": "1.5 GiB", "2 gb": "1.5 GiB", "1.5GiB": "1.1 GiB", "400MB": "95.3 MiB"}
