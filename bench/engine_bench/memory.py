"""How much memory this process has, and has had; knows what systems tell of it, and nothing else."""

from __future__ import annotations

import sys
from pathlib import Path

STATUS = Path("/proc/self/status")
MARK, NOW = "VmHWM:", "VmRSS:"


def peak_memory() -> int:
    """Most resident memory that this process has had since its program began, in bytes; 0 where that is not counted.

    Linux's ``ru_maxrss`` is not asked: a child begins with its parent's figure there.
    """
    if STATUS.exists():
        return _told(MARK)
    try:
        import resource
    except ModuleNotFoundError:  # Windows
        return 0
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def resident_memory() -> int:
    """Resident memory that this process has now, in bytes; 0 on other systems than Linux, which do not tell it so."""
    return _told(NOW) if STATUS.exists() else 0


def _told(mark: str) -> int:
    lines = STATUS.read_text().splitlines()
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith(mark)), 0)
