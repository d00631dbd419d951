"""From one item's cells to its text: lists joined, a template filled, empty fields gone without a trace.

Pure functions on one row; knows nothing of files or tables.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from string import Formatter
from typing import Any

CLOSING = re.compile(r"^[)\]}>»”’」』》】\"']+")
SEPARATORS = " \t\n.,;:|/-–—·、，。；："
FULL_STOPS = ".!?。！？…"


def template_fields(template: str) -> tuple[str, ...]:
    """Return the columns that `template` names, each once; raises `ValueError` where it is no template."""
    fields: dict[str, None] = {}
    for _, field, spec, conversion in Formatter().parse(template):
        if field is None:
            continue
        if not field.strip() or spec or conversion:
            raise ValueError(f"'{{{field}}}' is no plain column")
        fields[field] = None
    if not fields:
        raise ValueError("it names no column")
    return tuple(fields)


def fill(template: str, cells: Mapping[str, str]) -> str:
    """Fill `template`; an empty field takes what surrounds it along.

    The text before a field belongs to that field, and a closing bracket after a field to that field as well:
    ``"{title} ({year}). {brand}"`` becomes ``"A. B"`` where the year is empty. A full stop is not doubled.

    Parameters
    ----------
    template
        As checked by `template_fields`.
    cells
        Text of each column.

    Returns
    -------
    str
        The text; empty where all fields are.
    """
    text = ""
    last = ""
    for before, field, _, _ in Formatter().parse(template):
        closing = CLOSING.match(before)
        lead = before
        if closing:
            text += closing.group() if last else ""
            lead = before[closing.end() :]
        if field is None:
            text += lead if last else ""
            break
        last = cells[field]
        if last:
            text += _lead(text, lead) + last
    return text.strip()


def _lead(text: str, lead: str) -> str:
    """Return what goes between `text` and the next field."""
    if not text:
        return lead.lstrip(SEPARATORS)
    return lead[1:] if lead.startswith(".") and text[-1] in FULL_STOPS else lead


def cell_text(cell: Any) -> str:
    """Text of a cell: lists are joined by ``", "``, paths (lists in a list) by ``" > "`` first."""
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if _is_list(cell):
        parts = (" > ".join(_texts(part)) if _is_list(part) else cell_text(part) for part in cell)
        return ", ".join(part for part in parts if part)
    if isinstance(cell, Mapping):
        return ", ".join(_texts(cell.values()))
    return str(cell).replace("\x00", "\ufffd").strip()


def category_text(cell: Any) -> str:
    """Text of a category: the first path of a list of paths, else as `cell_text`."""
    if _is_list(cell):
        paths = (" > ".join(_texts(part)) for part in cell if _is_list(part))
        first = next((path for path in paths if path), "")
        if first:
            return first
    return cell_text(cell)


def _texts(cells: Any) -> list[str]:
    return [text for text in map(cell_text, cells) if text]


def _is_list(cell: Any) -> bool:
    return isinstance(cell, Sequence) and not isinstance(cell, str | bytes)
