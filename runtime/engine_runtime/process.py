"""What this process has used of the machine. Knows the system's own counts; knows nothing of what was done."""

from __future__ import annotations

import sys


def peak_memory() -> int | None:
    """Most memory that this process has had, in bytes; None where the system does not count it (Windows).

    Child processes are not counted in it.
    """
    try:
        import resource
    except ModuleNotFoundError:
        return None
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
