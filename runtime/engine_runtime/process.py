"""What this process has used of the machine. Knows the system's own counts; knows nothing of what was done."""

from __future__ import annotations

import sys


def peak_memory() -> int | None:
    """Most memory that this process has had, in bytes, without its child processes; None where it is not counted."""
    return _peak("RUSAGE_SELF")


def peak_memory_of_children() -> int | None:
    """Most memory that any one child process has had, in bytes, of those that have ended; None where there is none.

    Pages that a forked child shares with this process are counted in both.
    """
    return _peak("RUSAGE_CHILDREN") or None


def _peak(whose: str) -> int | None:
    try:
        import resource
    except ModuleNotFoundError:  # Windows
        return None
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(getattr(resource, whose)).ru_maxrss * unit
