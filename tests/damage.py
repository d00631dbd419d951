"""A seeded generator of damaged inputs: bytes, lines, cells, documents. Pure; tests say what has to become of them."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

Chance = np.random.Generator

SEPARATORS = (b",", b"\t", b'"', b"\n", b"\r\n", b"\0", b";", b"\xff", b"\xc3", b"\xed\xa0\x80", b"'", b" ")
NUMBERS = (
    "NaN",
    "inf",
    "-inf",
    "1e400",
    "-1e400",
    "1e308",
    "-1",
    "0",
    "9" * 30,
    "-" + "9" * 20,
    "1e-400",
    "0x10",
    "1_0",
)
ODD = ("", " ", "null", "None", "true", "[]", "{}", "'", "\x01", "\u200b", "é" * 300, "i" * 5000, "=1+1", "2024-02-30")
VALUES: tuple[Any, ...] = (
    None,
    True,
    -1,
    0,
    2**63,
    -(2**70),
    1e308,
    "",
    "x",
    [],
    {},
    [1, [2]],
    {"a": 1},
    "\ud800",
    1e-320,
)
ENCODINGS = ("utf-16", "utf-16-be", "utf-32", "utf-8-sig", "cp1252", "utf-7")


def pick(chance: Chance, choices: Any) -> Any:
    """One of `choices`, which numpy would turn into an array of its own."""
    return choices[int(chance.integers(len(choices)))]


def flipped(content: bytes, chance: Chance, most: int = 8) -> bytes:
    """Some bytes have another value."""
    damaged = np.frombuffer(content, np.uint8).copy()
    spots = chance.integers(0, len(damaged), int(chance.integers(1, most + 1)))
    damaged[spots] ^= chance.integers(1, 256, len(spots)).astype(np.uint8)
    return damaged.tobytes()


def truncated(content: bytes, chance: Chance) -> bytes:
    """The end is gone, the last byte at least; sometimes all is."""
    return content[: int(chance.integers(0, len(content)))] if chance.random() < 0.9 else b""


def garbled(content: bytes, chance: Chance) -> bytes:
    """A piece is gone, doubled, put elsewhere, filled with zeros or with noise."""
    start = int(chance.integers(0, len(content)))
    stop = min(len(content), start + int(chance.integers(1, 65)))
    piece, rest = content[start:stop], content[:start] + content[stop:]
    noise = chance.integers(0, 256, stop - start).astype(np.uint8).tobytes()
    spot = int(chance.integers(0, len(rest) + 1))
    ways = (
        rest,
        content[:stop] + piece + content[stop:],
        rest[:spot] + piece + rest[spot:],
        content[:start] + bytes(len(piece)) + content[stop:],
        content[:start] + noise + content[stop:],
        content + noise,
    )
    damaged: bytes = pick(chance, ways)
    return damaged if damaged != content else content + b"\0"


def any_bytes(content: bytes, chance: Chance) -> bytes:
    """One of the ways in which a file of any kind is damaged."""
    damaged: bytes = pick(chance, (flipped, truncated, garbled))(content, chance)
    return damaged


def bad_lines(content: bytes, chance: Chance) -> bytes:
    """Some lines below the first are cut, doubled, joined, or have something put into them that means something."""
    head, *lines = content.splitlines(keepends=True)
    for _ in range(int(chance.integers(1, 5))):
        number = int(chance.integers(0, len(lines)))
        line = lines[number]
        spot = int(chance.integers(0, len(line)))
        put = pick(chance, SEPARATORS)
        ways = (line[:spot] + b"\n", line + line, line.rstrip(b"\r\n"), line[:spot] + put + line[spot:], put + line)
        lines[number] = pick(chance, (*ways, b"\n", b",,,,,,,,\n", line[::-1].strip() + b"\n"))
    return head + b"".join(lines)


def bad_cells(rows: list[list[str]], chance: Chance) -> list[int]:
    """Put numbers that are none, and texts that are odd, into cells; returns the rows that were changed."""
    touched = sorted({int(row) for row in chance.integers(0, len(rows), int(chance.integers(1, 6)))})
    for row in touched:
        rows[row][int(chance.integers(0, len(rows[row])))] = pick(chance, NUMBERS + ODD)
    return touched


def bad_document(document: Any, chance: Chance) -> Any:
    """A JSON document with one value, somewhere inside, of another kind or gone; of an empty one, another document."""
    spots = list(_spots(document, ()))
    if not spots:
        return pick(chance, VALUES)
    *way, key = pick(chance, spots)
    damaged = json.loads(json.dumps(document))
    holder = damaged
    for step in way:
        holder = holder[step]
    if isinstance(holder, dict) and chance.random() < 0.25:
        del holder[key]
    else:
        holder[key] = pick(chance, [value for value in VALUES if value != holder[key]])
    return damaged


def _spots(document: Any, way: tuple[Any, ...]) -> Any:
    """The way to each value in a document."""
    keys = document.keys() if isinstance(document, dict) else range(len(document)) if isinstance(document, list) else ()
    for key in keys:
        yield (*way, key)
        yield from _spots(document[key], (*way, key))
