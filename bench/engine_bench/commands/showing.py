"""A result of `engine bench` as tables, as a file, or as one document."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from engine_bench.sheets import Sheet
from engine_runtime.commands import console


def keep(found: Any, out: Path | None, as_json: bool) -> bool:
    """Write a result where it was asked for; whether it has been printed already."""
    if out is not None:
        out.write_bytes(msgspec.json.format(msgspec.json.encode(found)) + b"\n")
    if as_json:
        console.emit(msgspec.to_builtins(found))
    return as_json


def show(measured_on: dict[str, str], tables: Sequence[Sheet]) -> None:
    """Print what a result was measured on, and its tables."""
    console.facts("measured on", measured_on)
    for sheet in tables:
        console.table(sheet.title, sheet.columns, sheet.rows)
