"""Files into DuckDB tables of text cells, each row with its file and line.

Knows how a cell becomes text; knows nothing of what a column means. All that is held in memory is one block
of one file. Of a big source no table of cells is kept: who reads it consumes them, a batch at a time.
"""

# ruff: noqa: S608 (statements are put together from this package's own names and from quoted literals)
from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Protocol

import pyarrow as pa

from engine_runtime.data.blocks import JSON, LINE, Block, missing_column, read_blocks
from engine_runtime.data.database import literal
from engine_runtime.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import duckdb

    from engine_runtime.data.sources import Source

NOT_JSON = "not a JSON object"
SURROGATES = re.compile("[\ud800-\udfff]")
BATCH_ROWS = 1 << 19
"""Rows of cells that are consumed at a time: DuckDB writes whole groups of 122,880 rows best, and has one a thread."""


class Report(Protocol):
    """Told of progress: so many more bytes read, and what is being done."""

    def __call__(self, done: int, note: str = "", /) -> None:
        """Take note of `done` more bytes."""


def stage(
    con: duckdb.DuckDBPyConnection,
    table: str,
    source: Source,
    columns: Mapping[str, str],
    *,
    encoded: bool = False,
    report: Report | None = None,
    consume: Callable[[], None] | None = None,
) -> None:
    """Read `source` into the new table `table`.

    Parameters
    ----------
    con
        The database.
    table
        Columns: ``file`` INTEGER (index into the source's files), ``line`` BIGINT, ``problem`` VARCHAR (null
        in a sound row), then one VARCHAR for each role, null where the cell is.
    source
        What to read.
    columns
        The file's column for each role.
    encoded
        Whether cells become JSON, which tells lists from texts.
    report
        Told of each block.
    consume
        Called when about `BATCH_ROWS` rows are in the table, and at the end; then the table is made anew.

    Raises
    ------
    InputError
        A column is missing, a file cannot be read, or there are no rows at all.
    """
    _make(con, table, columns, temporary=consume is not None)
    keys, total, waiting = _Keys(source, columns), 0, 0
    for number, path in enumerate(source.files):
        position = 0
        for block in read_blocks(source, path, columns):
            _insert(con, table, number, block, columns, source, encoded=encoded, keys=keys)
            if report is not None and block.position > position:
                report(block.position - position, f"reading {path.name}")
            position = block.position
            total, waiting = total + len(block.table), waiting + len(block.table)
            if consume is not None and waiting >= BATCH_ROWS:
                consume()
                _make(con, table, columns, temporary=True)
                waiting = 0
    if total == 0:
        raise InputError(f"{', '.join(map(str, source.files))}: no rows; {source.kind} were looked for.")
    keys.check()
    if consume is not None:
        consume()
        con.execute(f"DROP TABLE {table}")


def _make(con: duckdb.DuckDBPyConnection, table: str, columns: Mapping[str, str], *, temporary: bool) -> None:
    """Make a table for cells, empty."""
    roles = "".join(f", {role} VARCHAR" for role in columns)
    kind = "TEMP TABLE" if temporary else "TABLE"
    con.execute(f"CREATE OR REPLACE {kind} {table} (file INTEGER, line BIGINT, problem VARCHAR{roles})")


class _Keys:
    """The keys seen in JSON Lines, looked at until every wanted one was met."""

    def __init__(self, source: Source, columns: Mapping[str, str]) -> None:
        self.source = source
        self.missing = dict.fromkeys(columns.values()) if source.format == "jsonl" else {}
        self.found: dict[str, None] = {}

    def look(self, con: duckdb.DuckDBPyConnection) -> None:
        if not self.missing:
            return
        rows = con.execute("SELECT DISTINCT unnest(json_keys(json)) FROM sound").fetchall()
        for (name,) in sorted(rows):
            self.found[name] = None
            self.missing.pop(name, None)

    def check(self) -> None:
        """Refuse a source in which no row at all has a wanted key, unless no row is sound anyway."""
        if self.missing and self.found:
            raise missing_column(self.source.files[0], next(iter(self.missing)), list(self.found))


def _insert(
    con: duckdb.DuckDBPyConnection,
    table: str,
    number: int,
    block: Block,
    columns: Mapping[str, str],
    source: Source,
    *,
    encoded: bool,
    keys: _Keys,
) -> None:
    con.register("block", block.table)
    try:
        if source.format == "jsonl":
            _insert_json(con, table, number, block.table, columns, encoded=encoded, keys=keys)
            return
        present = [role for role in columns if role in block.table.column_names]
        cells = "".join(f", {_cell(block.table.schema.field(role).type, role, encoded=encoded)}" for role in present)
        names = "".join(f", {role}" for role in present)
        con.execute(
            f"INSERT INTO {table} (file, line, problem{names}) SELECT {number}, line, problem{cells} FROM block"
        )
    finally:
        con.unregister("block")


def _cell(kind: pa.DataType, role: str, *, encoded: bool) -> str:
    """Return the expression of a cell's text; a list becomes JSON, which `item_list` reads."""
    nested = pa.types.is_nested(kind)
    return f"CAST(to_json({role}) AS VARCHAR)" if encoded or nested else f"CAST({role} AS VARCHAR)"


def _insert_json(
    con: duckdb.DuckDBPyConnection,
    table: str,
    number: int,
    rows: pa.Table,
    columns: Mapping[str, str],
    *,
    encoded: bool,
    keys: _Keys,
) -> None:
    con.execute(
        f"INSERT INTO {table} (file, line, problem) SELECT {number}, line, problem FROM block WHERE problem IS NOT NULL"
    )
    if JSON not in rows.column_names:
        return
    con.execute(
        "CREATE OR REPLACE TEMP TABLE sound AS SELECT line, json FROM block "
        "WHERE problem IS NULL AND CASE WHEN json_valid(json) THEN json_type(json) = 'OBJECT' ELSE false END"
    )
    unsound = con.sql(
        "SELECT line, json FROM block ANTI JOIN sound USING (line) WHERE problem IS NULL"
    ).to_arrow_table()
    _repair(con, table, number, unsound)
    keys.look(con)
    extract = "CAST(json_extract(json, {}) AS VARCHAR)" if encoded else "json_extract_string(json, {})"
    cells = "".join(", " + extract.format(literal(_path(column))) for column in columns.values())
    names = "".join(f", {role}" for role in columns)
    con.execute(f"INSERT INTO {table} (file, line{names}) SELECT {number}, line{cells} FROM sound")


def _path(column: str) -> str:
    escaped = column.replace("\\", "\\\\").replace('"', '\\"')
    return f'$."{escaped}"'


def _repair(con: duckdb.DuckDBPyConnection, table: str, number: int, unsound: pa.Table) -> None:
    """Read once more what DuckDB refused: a lone surrogate is replaced, anything else is a problem."""
    repaired: dict[str, list[Any]] = {LINE: [], JSON: []}
    problems: list[int] = []
    for line, text in zip(unsound[LINE].to_pylist(), unsound[JSON].to_pylist(), strict=True):
        try:
            row = json.loads(text, parse_constant=str)
        except (ValueError, RecursionError):
            row = None
        if isinstance(row, dict):
            repaired[LINE].append(line)
            repaired[JSON].append(SURROGATES.sub("\ufffd", json.dumps(row, ensure_ascii=False)))
        else:
            problems.append(line)
    if problems:
        con.executemany(
            f"INSERT INTO {table} (file, line, problem) VALUES (?, ?, ?)",
            [(number, line, NOT_JSON) for line in problems],
        )
    if repaired[LINE]:
        con.register("repaired", pa.table(repaired))
        con.execute("INSERT INTO sound SELECT line, json FROM repaired")
        con.unregister("repaired")
