"""A folder that one process holds at a time, with its workers; the system lets go of it when the last of them ends.

Knows files and their locks; knows nothing of what is written under one.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from engine_runtime.errors import UsageError

LOCK = "lock"

LOCK_TRIES = 50
LOCK_PAUSE_SECONDS = 0.02
"""A run that was killed holds its lock until its worker processes have ended, which takes them some milliseconds."""


@contextmanager
def held(folder: Path, out: Path) -> Iterator[None]:
    """Make the folder and hold its lock; raises `UsageError` where another process holds it."""
    lock = folder / LOCK
    while True:
        folder.mkdir(parents=True, exist_ok=True)
        try:
            descriptor = os.open(lock, os.O_RDWR | os.O_CREAT, 0o644)
        except FileNotFoundError:  # the process before has just removed the folder
            continue
        try:
            _lock(descriptor, out)
            if _is_open_at(descriptor, lock):
                yield
                return
        finally:
            os.close(descriptor)


def _lock(descriptor: int, out: Path) -> None:
    try:
        import fcntl
    except ModuleNotFoundError:  # Windows: there, running once is the caller's care
        return
    for _ in range(LOCK_TRIES):
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(LOCK_PAUSE_SECONDS)
        else:
            return
    raise UsageError(f"another process is writing {out}. Wait for it to end, or name another directory.")


def _is_open_at(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False
