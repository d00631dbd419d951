"""The installed `engine`, run as a user runs it."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

ENGINE = Path(sys.executable).with_name("engine")

BAD_INPUT = "bad input"
"""Property of a test's report: what the command said to one."""


@dataclass(frozen=True)
class Answer:
    """What a command printed and how it ended."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """The JSON document on stdout."""
        return json.loads(self.out)


def engine(*arguments: str | Path, cwd: Path | None = None) -> Answer:
    """Run the command with `arguments`."""
    command = [str(ENGINE), *map(str, arguments)]
    done = subprocess.run(command, check=False, capture_output=True, encoding="utf-8", cwd=cwd, timeout=600)
    return Answer(done.returncode, done.stdout, done.stderr)


def rows_of(query: str) -> list[tuple[Any, ...]]:
    """Rows of a DuckDB query."""
    return duckdb.execute(query).fetchall()


def succeed(*arguments: str | Path) -> Answer:
    """Run the command and insist that it ends well."""
    answer = engine(*arguments)
    assert answer.code == 0, answer.err
    return answer
