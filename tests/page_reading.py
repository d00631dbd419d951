"""A report read back as a machine reads it: its tables as grids, its downloads, its addresses."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any


@dataclass
class Cell:
    """What a cell shows, and the numbers behind it."""

    text: str = ""
    numbers: list[float] = field(default_factory=list)
    rows: int = 1


class Reader(HTMLParser):
    """Reads a page whole.

    Attributes
    ----------
    tables
        Cells of each table's body by its id, row by row, as they were written.
    downloads
        What each link of a download holds, by its file's name.
    tags
        Names of all elements.
    addresses
        Every ``href`` and ``src``.
    ids
        Every ``id``.
    """

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tables: dict[str, list[list[Cell]]] = {}
        self.downloads: dict[str, Any] = {}
        self.tags: list[str] = []
        self.addresses: list[str] = []
        self.ids: list[str] = []
        self._body: list[list[Cell]] | None = None
        self._open = False
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take an element's beginning."""
        given = {name: value or "" for name, value in attrs}
        self.tags.append(tag)
        self.addresses += [given[name] for name in ("href", "src") if name in given]
        self.ids += [given["id"]] if "id" in given else []
        if "download" in given:
            self.downloads[given["download"]] = json.loads(base64.b64decode(given["href"].partition(",")[2]))
        if tag == "table":
            self._body = self.tables.setdefault(given["id"], [])
        elif tag == "tr" and self._body is not None:
            self._body.append([])
        elif tag in ("td", "th") and self._body is not None:
            self._body[-1].append(Cell(rows=int(given.get("rowspan", "1"))))
            self._open = True
        elif tag == "data" and self._open and self._body:
            self._body[-1][-1].numbers.append(float(given["value"]))

    def handle_endtag(self, tag: str) -> None:
        """Take an element's end."""
        if tag == "table":
            self._body = None
        if tag in ("td", "th"):
            self._open = False

    def handle_data(self, data: str) -> None:
        """Take text."""
        if self._open and self._body:
            self._body[-1][-1].text += data

    def grid(self, table: str) -> list[list[Cell]]:
        """Rows of a table's body with a cell under each head: one that spans rows is in each of them."""
        head, *body = self.tables[table]
        above: list[tuple[Cell, int]] = [(Cell(), 0)] * len(head)
        rows = []
        for written in body:
            fresh = iter(written)
            above = [(cell, left - 1) if left > 0 else _next(fresh) for cell, left in above]
            rows.append([cell for cell, _ in above])
        return rows


def _next(cells: Any) -> tuple[Cell, int]:
    cell = next(cells)
    return cell, cell.rows - 1
