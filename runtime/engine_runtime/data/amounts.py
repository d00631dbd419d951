"""Amounts of memory as people write them. Knows nothing of what they are for."""

from __future__ import annotations

import re

from engine_runtime.errors import UsageError

AMOUNT = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([kmgt]?)(i?)b\s*", re.IGNORECASE)


def amount_of(memory: str) -> int:
    """Bytes of an amount such as ``2GB``, ``500 MB`` or ``1.5GiB``; raises `UsageError` where it is none."""
    found = AMOUNT.fullmatch(memory)
    if not found:
        raise UsageError(f"memory is '{memory}', which is no amount. Write it as 500MB or 2GB.")
    number, unit, binary = found.groups()
    return int(float(number) * (1024 if binary else 1000) ** " kmgt".index(unit.lower() or " "))
