"""How the C library treats memory that a training frees; knows nothing of tensors."""

from __future__ import annotations

import ctypes
import platform

# Parameters of mallopt(3), glibc.
M_TRIM_THRESHOLD = -1
M_MMAP_MAX = -4


def keep_freed_memory() -> bool:
    """Have this process keep what it frees, and use it again.

    glibc gives large blocks back to the system at once and takes new ones, each page of which has to be zeroed: with
    the logits of a full softmax, that is most of a training step on a CPU (docs/log.md, 2026-11-24).

    Returns
    -------
    bool
        False where there is no glibc, and nothing was changed.
    """
    if platform.libc_ver()[0] != "glibc":
        return False
    library = ctypes.CDLL(None)
    return bool(library.mallopt(M_MMAP_MAX, 0) and library.mallopt(M_TRIM_THRESHOLD, 2**31 - 1))
