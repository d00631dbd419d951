"""How much memory this process has had; knows what systems tell of it, and nothing else."""

from __future__ import annotations

import sys
from pathlib import Path

STATUS = Path("/proc/self/status")
MARK = "VmHWM:"


def peak_memory() -> int:
    """Most resident memory that this process has had since its program began, in bytes; 0 where that is not counted.

    Linux's ``ru_maxrss`` is not asked: a child begins with its parent's figure there.
    """
    if STATUS.exists():
        lines = STATUS.read_text().splitlines()
        return next((int(line.split()[1]) * 1024 for line in lines if line.startswith(MARK)), 0)
    try:
        import resource
    except ModuleNotFoundError:  # Windows
        return 0
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
