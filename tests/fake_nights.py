"""Contenders of a whole night without a model, for tests of what runs them: a file that `turns` loads by its path.

The folder has ``targets.npy`` where their lists are to be right.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

N_ITEMS = 20


def load(folder: str, variant: str) -> tuple[str, Callable[[], dict[str, Any]]]:
    """Variant ``right``, ``empty``, ``slow``, ``few`` (half the users), ``part`` (half the items) or ``broken``."""
    if variant == "broken":
        raise ValueError("no kernel")
    path = Path(folder) / "targets.npy"
    targets = np.load(path) if path.exists() else np.zeros(1, np.int32)
    rows = np.arange(0, len(targets), 2 if variant == "few" else 1)
    known = np.arange(0, N_ITEMS, 2 if variant == "part" else 1)
    lists = np.full((len(rows), 10), -1, np.int32)
    if variant != "empty":
        lists[:, 1] = targets[rows]
    seconds = np.array([1.0, 2.0]) * (4 if variant == "slow" else 1)
    night = {"items": 3 * seconds, "users": seconds, "peak": np.array(10**8), "lists": lists}
    return f"fake, {variant}", lambda: night | {"known": known, "rows": rows}
