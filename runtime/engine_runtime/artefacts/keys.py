"""The key of pseudonyms: a file of random bytes that no one but its owner can read, outside of every artefact.

Knows files and who may read them; knows nothing of what a key is used for.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

from engine_runtime.errors import InputError, UsageError

KEY_BYTES = 32
"""Of a new key, and the least that is taken."""
MOST_BYTES = 4096
SHARED = stat.S_IRWXG | stat.S_IRWXO


def make_key(path: Path) -> None:
    """Write a new key, readable by its owner alone.

    Raises
    ------
    UsageError
        There is something already: a key that is lost cannot be made again.
    """
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError as error:
        raise UsageError(f"{path} exists already, and a key is never replaced. Name another file.") from error
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(os.urandom(KEY_BYTES))
        stream.flush()
        os.fsync(stream.fileno())


def read_key(path: Path) -> bytes:
    """Read a key.

    Raises
    ------
    InputError
        It is no file, too short or too long, or others than its owner may read or write it.
    """
    if not path.is_file():
        raise InputError(f"no key in {path}: a file was looked for. Make one with: engine pseudonyms new-key {path}")
    if os.name == "posix" and path.stat().st_mode & SHARED:
        raise InputError(f"{path} is open to others than its owner. Close it with: chmod 600 {path}")
    with path.open("rb") as stream:
        key = stream.read(MOST_BYTES + 1)
    if not KEY_BYTES <= len(key) <= MOST_BYTES:
        raise InputError(
            f"{path} holds {len(key)} bytes or more; a key has {KEY_BYTES} to {MOST_BYTES}. Make one with: "
            "engine pseudonyms new-key FILE"
        )
    return key
