"""Files read in blocks of text cells, with the line of each row.

Knows how each format is cut into rows; knows nothing of what a column means. Reading never stops at a bad
row: a row with a wrong number of fields comes out as a problem with its line, and bytes that are not UTF-8
come out as U+FFFD.
"""

from __future__ import annotations

import codecs
import csv
import io
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from engine_runtime.data.sources import COMPRESSIONS
from engine_runtime.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from engine_runtime.data.sources import Source

DELIMITERS = {"csv": ",", "tsv": "\t"}
BLOCK_BYTES = 16 << 20
"""Bytes read at a time, and so the longest row possible in a text file."""
PARQUET_ROWS = 65_536
IMPOSSIBLE = "\x01"  # never part of valid JSON: with it as the delimiter a line is one field
LINE = "line"
PROBLEM = "problem"
JSON = "json"


@dataclass(frozen=True)
class Block:
    """Some rows of one file.

    Attributes
    ----------
    table
        Columns ``line`` int64, ``problem`` string (null in a sound row), then one for each role asked for; or
        ``json`` string alone where the file is JSON Lines.
    position
        Bytes of the file read so far.
    """

    table: pa.Table
    position: int


def read_blocks(source: Source, path: Path, columns: Mapping[str, str]) -> Iterator[Block]:
    """Read one file of `source`.

    Parameters
    ----------
    source
        Says the format.
    path
        One of its files.
    columns
        The file's column for each role; for JSON Lines the caller takes the cells out of ``json``.

    Raises
    ------
    InputError
        A column is missing, or the file cannot be read.
    """
    try:
        if source.format == "parquet":
            yield from _parquet(path, columns)
        elif source.format == "jsonl":
            yield from _json_lines(path)
        else:
            yield from _delimited(path, DELIMITERS[source.format], columns, quoted=source.quoted)
    except (pa.ArrowException, EOFError, csv.Error) as error:
        raise InputError(f"{path} cannot be read as {source.format}: {_say(error)}") from error
    except OSError as error:
        if error.errno is not None:
            raise
        raise InputError(f"{path} cannot be read as {source.format}: {_say(error)}") from error


def missing_column(path: Path, column: str, found: Sequence[str]) -> InputError:
    """Error for a column that is not in a file."""
    names = ", ".join(found) or "none"
    return InputError(
        f"{path} has no column '{column}'. Columns found: {names}. Correct the name in the configuration."
    )


def _say(error: Exception) -> str:
    text = str(error).splitlines()[0] if str(error) else type(error).__name__
    if "straddling" in text:
        size = BLOCK_BYTES >> 20
        return f'a row is longer than {size} MB. Is a quote (") left open? [files] quoted = false ignores them.'
    return f"{text}. Is it whole, and named after its format?"


class _Utf8(io.RawIOBase):
    """A byte stream that is valid UTF-8 whatever the one inside holds."""

    def __init__(self, stream: pa.NativeFile) -> None:
        self._stream = stream
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        self._rest = b""
        self._ended = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        block = self.read(len(buffer))
        buffer[: len(block)] = block
        return len(block)

    def read(self, size: int = -1) -> bytes:
        while not self._ended and (size < 0 or len(self._rest) < size):
            block = self._stream.read(max(size, 1 << 16))
            self._ended = not block
            self._rest += self._decoder.decode(block, final=self._ended).encode()
        taken, self._rest = (self._rest, b"") if size < 0 else (self._rest[:size], self._rest[size:])
        return taken


@contextmanager
def _opened(path: Path) -> Iterator[tuple[_Utf8, pa.NativeFile]]:
    """Open a text file; yields its text as UTF-8, and the file itself, whose position tells the progress."""
    with pa.OSFile(str(path)) as raw:
        compression = COMPRESSIONS.get(path.suffix.lower())
        yield _Utf8(pa.CompressedInputStream(raw, compression) if compression else raw), raw


def _header(path: Path, delimiter: str, *, quoted: bool) -> tuple[list[str], int, int]:
    """Names of the columns, records up to and with them, and lines of these."""
    with _opened(path) as (stream, _):
        lines = io.TextIOWrapper(io.BufferedReader(stream), encoding="utf-8-sig", newline="")
        reader = csv.reader(lines, delimiter=delimiter, quoting=csv.QUOTE_MINIMAL if quoted else csv.QUOTE_NONE)
        for number, names in enumerate(reader, 1):
            if names:
                return [name.strip() for name in names], number, reader.line_num
    raise InputError(f"{path} is empty: a line with the names of the columns was looked for.")


@dataclass(frozen=True)
class _Refused:
    row: int
    newlines: int
    reason: str


class _Lines:
    """Turns rows into lines: a quoted field may span several lines, and refused rows have lines too."""

    def __init__(self, row: int, line: int) -> None:
        self.row = row  # number of the next row, as the parser counts
        self.line = line  # line where it begins
        self.refused: list[_Refused] = []

    def place(self, newlines: npt.NDArray[np.int64], *, last: bool = False) -> tuple[npt.NDArray[np.int64], pa.Table]:
        """Lines of the next sound rows, given the line breaks in each, and the refused rows among them."""
        count = len(newlines)
        rows = np.array([refused.row for refused in self.refused], np.int64)
        sound_before = rows - self.row - np.arange(len(rows))
        taken = len(rows) if last else int(np.searchsorted(sound_before, count))
        spots = sound_before[:taken] + np.arange(taken)
        heights = np.ones(count + taken, np.int64)
        heights[spots] += np.array([refused.newlines for refused in self.refused[:taken]], np.int64)
        sound = np.ones(count + taken, np.bool_)
        sound[spots] = False
        heights[sound] += newlines
        lines = self.line + np.cumsum(heights) - heights
        reasons = [refused.reason for refused in self.refused[:taken]]
        self.row += count + taken
        self.line += int(heights.sum())
        del self.refused[:taken]
        return lines[sound], pa.table({LINE: lines[spots], PROBLEM: pa.array(reasons, pa.string())})


def _delimited(path: Path, delimiter: str, columns: Mapping[str, str], *, quoted: bool) -> Iterator[Block]:
    header, records, lines = _header(path, delimiter, quoted=quoted)
    for column in columns.values():
        if column not in header:
            raise missing_column(path, column, header)
    wanted = {role: header.index(column) for role, column in columns.items()}
    counter = _Lines(records + 1, lines + 1)
    with _opened(path) as (stream, raw):
        for batch in _parse(stream, len(header), delimiter, '"' if quoted else False, records, counter):
            placed, refused = counter.place(_newlines(batch))
            table = pa.table({LINE: placed, PROBLEM: pa.nulls(len(batch), pa.string())})
            for role, position in wanted.items():
                table = table.append_column(role, batch.column(position))
            yield _block([table.filter(_filled(batch)), refused], raw.tell())
        yield _block([counter.place(np.zeros(0, np.int64), last=True)[1]], path.stat().st_size)


def _json_lines(path: Path) -> Iterator[Block]:
    counter = _Lines(1, 1)
    with _opened(path) as (stream, raw):
        for batch in _parse(stream, 1, IMPOSSIBLE, False, 0, counter):
            placed, refused = counter.place(np.zeros(len(batch), np.int64))
            table = pa.table({LINE: placed, PROBLEM: pa.nulls(len(batch), pa.string()), JSON: batch.column(0)})
            yield _block([table.filter(_filled(batch)), refused], raw.tell())
        yield _block([counter.place(np.zeros(0, np.int64), last=True)[1]], path.stat().st_size)


def _parse(
    stream: _Utf8, width: int, delimiter: str, quote: str | bool, skip: int, counter: _Lines
) -> Iterator[pa.RecordBatch]:
    """Cut a text into rows of `width` strings; rows of another width go to ``counter.refused``."""

    def refuse(row: pa_csv.InvalidRow) -> str:
        reason = "not a JSON object"
        if delimiter != IMPOSSIBLE:
            reason = f"{row.actual_columns} fields where {row.expected_columns} were expected"
        counter.refused.append(_Refused(row.number, row.text.count("\n"), reason))
        return "skip"

    names = [str(position) for position in range(width)]
    yield from pa_csv.open_csv(
        pa.PythonFile(stream, mode="r"),
        # one thread: only then does the parser know the number of a row that it refuses
        pa_csv.ReadOptions(block_size=BLOCK_BYTES, use_threads=False, column_names=names, skip_rows_after_names=skip),
        pa_csv.ParseOptions(
            delimiter=delimiter,
            quote_char=quote,
            newlines_in_values=bool(quote),
            ignore_empty_lines=False,
            invalid_row_handler=refuse,
        ),
        pa_csv.ConvertOptions(
            column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False, check_utf8=False
        ),
    )


def _newlines(batch: pa.RecordBatch) -> npt.NDArray[np.int64]:
    """Line breaks inside the cells of each row."""
    total = np.zeros(len(batch), np.int64)
    for column in batch.columns:
        total += pc.count_substring(column, "\n").to_numpy(zero_copy_only=False)
    return total


def _filled(batch: pa.RecordBatch) -> pa.Array:
    """Whether a row has any text: a blank line has none, and is no row."""
    filled = pa.array(np.zeros(len(batch), np.bool_))
    for column in batch.columns:
        filled = pc.or_(filled, pc.not_equal(column, ""))
    return filled


def _block(tables: Sequence[pa.Table], position: int) -> Block:
    return Block(pa.concat_tables(tables, promote_options="default"), position)


def _parquet(path: Path, columns: Mapping[str, str]) -> Iterator[Block]:
    with pq.ParquetFile(path, page_checksum_verification=True) as file:
        found = file.schema_arrow.names
        for column in columns.values():
            if column not in found:
                raise missing_column(path, column, found)
        size = path.stat().st_size
        total = max(file.metadata.num_rows, 1)
        done = 0
        for batch in file.iter_batches(PARQUET_ROWS, columns=list(dict.fromkeys(columns.values()))):
            lines = np.arange(done + 1, done + len(batch) + 1)
            done += len(batch)
            cells = {role: batch.column(batch.schema.get_field_index(name)) for role, name in columns.items()}
            nulls = pa.nulls(len(batch), pa.string())
            yield Block(pa.table({LINE: lines, PROBLEM: nulls, **cells}), size * done // total)
