"""The receipt of a forgetting: what was removed from where, when, and what a scan found afterwards.

It names nobody. Whoever still knows what was asked for can show that a receipt is of that request: it holds a random
salt, and the SHA-256 of the salt and the sorted request. Knows nothing of how anything is removed.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import msgspec

from engine_runtime.artefacts.writing import write_document
from engine_runtime.errors import ArtefactError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

SCHEMA = 1
SALT_BYTES = 16


@dataclass(frozen=True)
class Requested:
    """What was asked for, without saying whom it is about.

    Attributes
    ----------
    users, items, events
        How many of each.
    salt
        Random, hexadecimal.
    sha256
        Of `request_digest`.
    """

    users: int
    items: int
    events: int
    salt: str
    sha256: str


@dataclass(frozen=True)
class Rewritten:
    """One artefact that was written anew, or that held nothing of what was asked for.

    Attributes
    ----------
    kind, path
        What it is and where.
    before, after
        Its digest; the same where nothing had to go.
    removed
        How much of what.
    """

    kind: str
    path: str
    before: str
    after: str
    removed: dict[str, int]


@dataclass(frozen=True)
class TraceFound:
    """A place where something of what was asked for is still to be read: file, place in it, what it is, how often."""

    path: str
    place: str
    what: str
    count: int


@dataclass(frozen=True)
class ScanResult:
    """What a scan read after all was removed.

    Attributes
    ----------
    files, bytes
        Read.
    vectors
        Vectors of what was removed that were looked for, beside the ids.
    traces
        What was found; empty if all went well.
    """

    files: int
    bytes: int
    vectors: int
    traces: tuple[TraceFound, ...]


@dataclass(frozen=True)
class Receipt:
    """What a forgetting did.

    Attributes
    ----------
    schema
        Version of this layout.
    creator
        Name and version of the program.
    time
        When it ended, in UTC.
    requested
        What was asked for.
    artefacts
        Each that was given, in the order in which they were done.
    cached
        Vectors of texts that were removed from the cache.
    corrected
        Users whose corrections were taken out of an overlay.
    scan
        What was read afterwards.
    seconds, seconds_per_user
        All but the scan; `seconds_per_user` is None where no user was asked for.
    """

    schema: int
    creator: str
    time: str
    requested: Requested
    artefacts: tuple[Rewritten, ...]
    cached: int
    corrected: int
    scan: ScanResult
    seconds: float
    seconds_per_user: float | None


def request_digest(salt: str, lines: Iterable[str]) -> str:
    """SHA-256 of the salt and the sorted lines of a request, each ended by a line feed, as UTF-8.

    A line is ``user ID``, ``item ID``, or ``event USER ITEM TIME`` with a tab between its parts.
    """
    text = "".join(f"{line}\n" for line in (salt, *sorted(lines)))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def new_salt() -> str:
    """A salt that nobody has had before."""
    return secrets.token_hex(SALT_BYTES)


def now() -> str:
    """The time in UTC, to the second."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def check_place(path: Path) -> None:
    """Refuse a place where no receipt can be written, before anything is done; raises `UsageError`."""
    if not path.absolute().parent.is_dir():
        raise UsageError(f"the receipt was to go to {path}, but {path.parent} is no folder. Make it first.")
    if path.exists():
        raise UsageError(f"the receipt was to go to {path}, which is there already. A receipt is kept: name another.")


def write_receipt(receipt: Receipt, path: Path) -> None:
    """Write a receipt, whole or not at all."""
    write_document(path, receipt)


def read_receipt(path: Path) -> Receipt:
    """Read a receipt; raises `ArtefactError`."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Receipt)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ArtefactError(f"{path} is no receipt: {error}.") from error
