"""Two names of a file system changed for each other in one step, where the system can; knows nothing of artefacts."""

from __future__ import annotations

import ctypes
import os
import sys
from pathlib import Path

AT_FDCWD = -100
RENAME_EXCHANGE = 2
"""Both of Linux, see ``man 2 rename``."""


def exchange(left: Path, right: Path) -> bool:
    """Let what is at `left` and what is at `right` change places; False where that cannot be done in one step."""
    if sys.platform != "linux":
        return False
    try:
        rename = ctypes.CDLL(None).renameat2
    except AttributeError:  # a C library that does not know it
        return False
    return bool(rename(AT_FDCWD, os.fsencode(left), AT_FDCWD, os.fsencode(right), RENAME_EXCHANGE) == 0)
