"""Tables whose cells are at once what a person reads and what a machine downloads.

Knows cells; knows nothing of where they come from. A number is shown rounded and in the unit of its column, while its
cell (a ``data`` element) and the JSON hold it as the record does. The JSON is part of the page, as a link that
holds its own target: no network and no script.
"""

from __future__ import annotations

import base64
import itertools
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeAlias

import msgspec

from engine_bench.suite.histogram import Interval
from engine_bench.suite.page.markup import Child, Markup, tag

Value: TypeAlias = "str | float | tuple[float, ...] | None"
Write: TypeAlias = Callable[[float], str]
UNKNOWN = "–"


@dataclass(frozen=True)
class Cell:
    """What is shown, a text for each number, and the value behind it."""

    shown: tuple[str, ...]
    value: Value


@dataclass(frozen=True)
class Column:
    """The key of a column in the JSON, and its head; `shared` columns hold one cell for all rows of a group."""

    key: str
    title: str
    shared: bool = False


@dataclass(frozen=True)
class Table:
    """Rows under columns. Rows with the same first cell, one after the other, are a group; a long table is `folded`."""

    name: str
    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    folded: bool = False


def words(text: str, value: str | None = None) -> Cell:
    """A cell of text; `value` is what the JSON says in its place."""
    return Cell((text,), text if value is None else value)


def figure(value: float | None, write: Write) -> Cell:
    """A cell of one number; a dash for one that is not known."""
    return Cell((UNKNOWN,), None) if value is None else Cell((write(value),), value)


def span(interval: Interval, write: Write) -> Cell:
    """A cell of the two ends of an interval; a dash where they are not known."""
    if interval.low is None or interval.high is None:
        return Cell((UNKNOWN,), None)
    return Cell((write(interval.low), write(interval.high)), (interval.low, interval.high))


def document(table: Table) -> bytes:
    """The table as JSON: its title, and its rows by the keys of the columns."""
    keys = [column.key for column in table.columns]
    rows = [dict(zip(keys, (cell.value for cell in row), strict=True)) for row in table.rows]
    return msgspec.json.encode({"title": table.title, "rows": rows})


def download(name: str, content: bytes, text: str) -> Markup:
    """A link that saves JSON from the page itself."""
    href = f"data:application/json;base64,{base64.b64encode(content).decode()}"
    return tag("a", text, href=href, download=f"{name}.json", class_="download")


def show(table: Table) -> Markup:
    """The table in a box of its own, which scrolls where it is wider than the page, and its download."""
    titled = f"{table.name}-title"
    heads = (
        tag("th", column.title, scope="col", class_=_class(row[place] for row in table.rows))
        for place, column in enumerate(table.columns)
    )
    groups = itertools.groupby(table.rows, key=lambda row: row[0])
    bodies = [_group(table.columns, list(rows)) for _, rows in groups]
    drawn = tag(
        "table",
        tag("caption", tag("span", table.title), id=titled),
        tag("thead", tag("tr", *heads)),
        *bodies,
        id=table.name,
    )
    box = tag("div", drawn, class_="scroll", role="region", tabindex="0", aria_labelledby=titled)
    link = download(table.name, document(table), "Download this table as JSON")
    if table.folded:
        summary = tag("summary", f"{table.title}: {len(table.rows)} rows")
        return tag("div", tag("details", summary, box, tag("p", link)), class_="table")
    return tag("div", box, tag("p", link), class_="table")


def _group(columns: tuple[Column, ...], rows: list[tuple[Cell, ...]]) -> Markup:
    """Rows with the same first cell; what they share stands once beside all of them."""
    drawn = []
    for place, row in enumerate(rows):
        cells: list[Child] = []
        for number, (column, cell) in enumerate(zip(columns, row, strict=True)):
            shared = number == 0 or column.shared
            if shared and place > 0:
                continue
            height = len(rows) if shared and len(rows) > 1 else None
            cells.append(_cell(cell, number == 0, height))
        drawn.append(tag("tr", *cells))
    return tag("tbody", *drawn)


def _cell(cell: Cell, head: bool, height: int | None) -> Markup:
    many = height is not None
    if head:
        return tag("th", *_content(cell), scope="rowgroup" if many else "row", rowspan=height, class_=_class([cell]))
    return tag("td", *_content(cell), rowspan=height, class_=_class([cell]))


def _class(cells: Iterable[Cell]) -> str | None:
    """Numbers are set flush right, and so is the head above them."""
    return None if any(isinstance(cell.value, str) for cell in cells) else "number"


def _content(cell: Cell) -> list[Child]:
    if cell.value is None:
        return [tag("span", cell.shown[0], title="not known")]
    if isinstance(cell.value, str):
        return [cell.shown[0]]
    values = cell.value if isinstance(cell.value, tuple) else (cell.value,)
    parts = [tag("data", text, value=repr(value)) for text, value in zip(cell.shown, values, strict=True)]
    return [parts[0], " to ", parts[1]] if len(parts) > 1 else [*parts]
