"""Vectors kept on disk from one run to the next, so that no text is encoded twice.

One SQLite file holds the vectors of one artefact, variant and output. A text is known by its hash; texts themselves are
never stored. A cache saves time and decides nothing: whatever is wrong with a file costs its vectors and never the run.
Knows files, hashes and vectors; knows nothing of models.
"""

from __future__ import annotations

import hashlib
import logging
import os
import sqlite3
import time
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from engine_runtime.errors import ArtefactError

Floats = npt.NDArray[np.float32]

HASH_BYTES = 16
CHECK_BYTES = 4
SECONDS_TO_WAIT = 60.0  # for another process that is writing
PAGE_BYTES = 16384  # ten vectors of 384 numbers, in place of two in a page of the usual size
APPLICATION = 0x50654E76

DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_SCHEMA}

READ = "SELECT vector FROM vectors WHERE key = ?"
WRITE = "INSERT OR REPLACE INTO vectors VALUES (?, ?)"

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class VectorCache:
    """Where vectors of one variant of one artefact are kept.

    Attributes
    ----------
    folder
        Made if it is not there; caches of several artefacts and processes may share it.
    digest
        Of the artefact that the vectors come from.
    precision
        Its variant.
    """

    folder: Path
    digest: str
    precision: str

    def path(self, output: str) -> Path:
        """The file of one output."""
        return self.folder / f"{self.digest[:32]}.{self.precision}.{output}.sqlite"

    @contextmanager
    def opened(self, output: str, width: int) -> Iterator[KeptVectors]:
        """What is kept of one output, whose vectors are `width` numbers wide, while the context is open."""
        about = f"{self.digest} {self.precision} {output} {width}"
        kept = KeptVectors(self.path(output), about, width)
        try:
            yield kept
        finally:
            kept.close()


class KeptVectors:
    """One file of vectors, open; where it cannot be used it says so once, finds nothing and keeps nothing."""

    def __init__(self, path: Path, about: str, width: int) -> None:
        self._path, self._about, self._width = path, about, width
        self._size = 4 * width + CHECK_BYTES
        self._connection: sqlite3.Connection | None = None
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._connection = self._open() or self._open()
        except (OSError, sqlite3.Error) as error:
            self._give_up(error)

    def read(self, texts: Sequence[str], out: Floats) -> npt.NDArray[np.bool_]:
        """Look `texts` up.

        Parameters
        ----------
        texts
            Any strings.
        out
            float32 [texts, width]; rows of texts that are kept are filled in.

        Returns
        -------
        bool [texts]
            Which are kept.
        """
        found = np.zeros(len(texts), bool)
        if self._connection is None:
            return found
        try:
            for row, key in enumerate(map(_key, texts)):
                kept = self._connection.execute(READ, (key,)).fetchone()
                if kept and kept[0] == _sealed(key, kept[0][:-CHECK_BYTES]) and len(kept[0]) == self._size:
                    out[row] = np.frombuffer(kept[0], "<f4", self._width)
                    found[row] = True
        except sqlite3.Error as error:
            self._give_up(error)
        return found

    def write(self, texts: Sequence[str], vectors: Floats) -> None:
        """Keep the vectors of `texts`, float32 [texts, width]; what is not finite is left out."""
        if self._connection is None:
            return
        finite = np.flatnonzero(np.isfinite(vectors).all(axis=1)).tolist()
        little = np.ascontiguousarray(vectors, "<f4")
        keyed = ((_key(texts[row]), little[row].tobytes()) for row in finite)
        rows = ((key, _sealed(key, vector)) for key, vector in keyed)
        try:
            with self._connection:
                self._connection.executemany(WRITE, rows)
        except sqlite3.Error as error:
            self._give_up(error)

    def close(self) -> None:
        """Close the file."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _open(self) -> sqlite3.Connection | None:
        """Open the file, or put it aside and give nothing if it is not one of these vectors."""
        # A stream may be read on by another thread than began it, never by two at once.
        connection = sqlite3.connect(self._path, timeout=SECONDS_TO_WAIT, check_same_thread=False)
        try:
            about = _prepared(connection, self._about)
        except sqlite3.Error as error:
            connection.close()
            if not _is_damage(error):
                raise
            about = str(error)
        if about == self._about:
            return connection
        connection.close()
        self._put_aside(about)
        return None

    def _give_up(self, error: Exception) -> None:
        self.close()
        log.warning("the cache of vectors %s is not used: %s.", self._path, error)
        if _is_damage(error):
            self._put_aside(str(error))

    def _put_aside(self, reason: str) -> None:
        aside = self._path.with_name(f"{self._path.name}.aside.{os.getpid()}")
        for suffix in ("-wal", "-shm", ""):
            part = self._path.with_name(self._path.name + suffix)
            if part.exists():
                part.replace(aside.with_name(aside.name + suffix))
        log.warning("the cache of vectors %s was not usable (%s) and was put aside as %s.", self._path, reason, aside)


def forget_texts(folder: Path, texts: Sequence[str]) -> int:
    """Remove the vectors of some texts from all files of a folder; return how many were there.

    Their bytes are overwritten, in the file and in its journal.

    Raises
    ------
    ArtefactError
        A file cannot be opened or is damaged, so that nobody can say what it holds.
    """
    keys = [(_key(text),) for text in texts]
    return sum(_forget_keys(path, keys) for path in sorted(folder.glob("*.sqlite*")) if _is_cache(path))


def _is_cache(path: Path) -> bool:
    return not path.name.endswith(("-wal", "-shm"))


def _forget_keys(path: Path, keys: Sequence[tuple[bytes]]) -> int:
    connection = sqlite3.connect(path, timeout=SECONDS_TO_WAIT, isolation_level=None)
    try:
        connection.execute("PRAGMA secure_delete = ON")
        connection.execute("BEGIN IMMEDIATE")
        removed = connection.executemany("DELETE FROM vectors WHERE key = ?", keys).rowcount
        connection.execute("COMMIT")
        if removed:
            connection.execute("VACUUM")
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    except sqlite3.Error as error:
        raise ArtefactError(f"the cache of vectors {path} cannot be used: {error}. Remove it.") from error
    finally:
        connection.close()
    return removed


def _key(text: str) -> bytes:
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=HASH_BYTES).digest()


def _sealed(key: bytes, vector: bytes) -> bytes:
    """A vector with a checksum after it: SQLite itself does not notice a flipped bit in a number."""
    return vector + zlib.crc32(vector, zlib.crc32(key)).to_bytes(CHECK_BYTES, "little")


def _is_damage(error: Exception) -> bool:
    code = getattr(error, "sqlite_errorcode", None)
    return code is not None and code & 0xFF in DAMAGED


def _prepared(connection: sqlite3.Connection, about: str) -> str:
    """Set a file up if it is new; return what it says it holds."""
    tables = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    if tables:
        (application,) = connection.execute("PRAGMA application_id").fetchone()
        if application != APPLICATION:
            return "it was made by another program"
    else:
        connection.execute(f"PRAGMA page_size = {PAGE_BYTES}")
        _patiently(connection, "PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")
    with connection:
        connection.execute("BEGIN IMMEDIATE")
        if not connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
            connection.execute(f"PRAGMA application_id = {APPLICATION}")
            connection.execute("CREATE TABLE vectors (key BLOB PRIMARY KEY, vector BLOB NOT NULL)")
            connection.execute("CREATE TABLE about (holds TEXT NOT NULL)")
            connection.execute("INSERT INTO about VALUES (?)", (about,))
    return str(connection.execute("SELECT holds FROM about").fetchone()[0])


def _patiently(connection: sqlite3.Connection, statement: str) -> None:
    """SQLite does not wait for a lock when the journal's kind is changed, so that two who begin at once collide."""
    for _ in range(int(SECONDS_TO_WAIT / 0.05)):
        try:
            connection.execute(statement)
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
                raise
            time.sleep(0.05)
        else:
            return
