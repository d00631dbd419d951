"""Public data sets, fetched on request: the runtime's only code that uses a network.

It runs when a user calls ``engine data fetch`` (or `fetch`), and never otherwise; nothing else in the runtime
imports it. Every download has a known SHA-256. A data set may have several origins, tried in turn, that are
brought to the same files.
"""

from __future__ import annotations

import csv
import hashlib
import io
import re
import subprocess
import sys
import tempfile
import urllib.request
import zipfile
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

from engine_runtime.data.blocks import DELIMITERS
from engine_runtime.errors import InputError, MachineError, UsageError
from engine_runtime.home import home

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

TIMEOUT_SECONDS = 10
PIP_TIMEOUT_SECONDS = 300
EVENTS_HEADER = ("user_id", "item_id", "rating", "unix_time")
ITEMS_HEADER = ("item_id", "title", "year", "genres")
USERS_HEADER = ("user_id", "age", "gender", "occupation")
OUTPUTS = ("events.tsv", "items.tsv", "users.tsv", "dataset.toml")
UNKNOWN = ("unknown", "unkonwn")  # the wheel's own spelling
YEAR = re.compile(r"\s*\((\d{4})\)(?:\s*\(V\))?\s*$")

Rows = list[tuple[str, ...]]


@dataclass(frozen=True)
class Tables:
    """A data set's three tables, without their headers, sorted."""

    events: Rows
    items: Rows
    users: Rows


@dataclass(frozen=True)
class Origin:
    """A place where a data set's archive is to be had.

    Attributes
    ----------
    file
        Name of the archive.
    sha256
        Its digest.
    download
        Puts the archive at the path given; raises `OSError` where it is not to be had.
    read
        Takes the tables out of the archive.
    """

    file: str
    sha256: str
    download: Callable[[Path], None]
    read: Callable[[zipfile.ZipFile], Tables]


def fetch(
    name: str,
    out: Path,
    cache: Path | None = None,
    *,
    replace: bool = False,
    origins: Sequence[Origin] | None = None,
) -> Path:
    """Fetch a public data set.

    Parameters
    ----------
    name
        As in `DATASETS`.
    out
        Folder for ``events.tsv``, ``items.tsv``, ``users.tsv`` and the ``dataset.toml`` that describes them.
    cache
        Where archives are kept; `engine_runtime.home.home` if not given.
    replace
        Whether files that are in `out` already may be replaced.
    origins
        Places to try in turn; those of `DATASETS` if not given.

    Returns
    -------
    Path
        The ``dataset.toml``, ready for ``engine data ingest --config``.

    Raises
    ------
    UsageError
        The name is unknown, or `out` holds such files already.
    MachineError
        No origin can be reached, or an archive has the wrong digest.
    InputError
        The archive does not hold what it should.
    """
    if name not in DATASETS:
        raise UsageError(f"there is no data set '{name}' to fetch. Known: {', '.join(DATASETS)}.")
    present = [file for file in OUTPUTS if (out / file).exists()]
    if present and not replace:
        raise UsageError(f"{out / present[0]} exists already. Name another folder, or add --force to replace it.")
    archive, origin = _obtain(name, origins or DATASETS[name], cache or home())
    try:
        with zipfile.ZipFile(archive) as opened:
            tables = origin.read(opened)
    except (zipfile.BadZipFile, KeyError, IndexError, ValueError) as error:
        raise InputError(f"{archive} does not hold {name} as expected: {error}. Delete it and fetch again.") from error
    out.mkdir(parents=True, exist_ok=True)
    _write(out / "events.tsv", EVENTS_HEADER, tables.events)
    _write(out / "items.tsv", ITEMS_HEADER, tables.items)
    _write(out / "users.tsv", USERS_HEADER, tables.users)
    config = out / "dataset.toml"
    config.write_text(configuration(name), encoding="utf-8")
    return config


def configuration(name: str) -> str:
    """Text of the ``dataset.toml`` of a public data set."""
    return (resources.files("engine_runtime.data") / f"{name}.toml").read_text(encoding="utf-8")


def _obtain(name: str, origins: Sequence[Origin], cache: Path) -> tuple[Path, Origin]:
    """Find the archive in the cache or download it from the first origin that answers."""
    for origin in origins:
        if (cache / origin.file).is_file():
            check_digest(cache / origin.file, origin.sha256)
            return cache / origin.file, origin
    cache.mkdir(parents=True, exist_ok=True)
    failures = []
    for origin in origins:
        with tempfile.TemporaryDirectory(prefix=".download.", dir=cache) as temporary:
            path = Path(temporary) / origin.file
            try:
                origin.download(path)
            except OSError as error:
                failures.append(f"{origin.file}: {error}")
                continue
            check_digest(path, origin.sha256)
            path.replace(cache / origin.file)
        return cache / origin.file, origin
    raise MachineError(
        f"{name} could not be fetched ({'; '.join(failures)}). Check the network, or put the archive into {cache}."
    )


def check_digest(path: Path, expected: str) -> None:
    """Remove a file whose SHA-256 is not `expected`, and raise `MachineError`."""
    with path.open("rb") as stream:
        found = hashlib.file_digest(stream, "sha256").hexdigest()
    if found != expected:
        path.unlink()
        raise MachineError(
            f"{path.name} has sha256 {found}, but {expected} was expected; the file was removed. Fetch "
            "again; if it stays so, something between here and the publisher changes the file."
        )


def download_url(url: str, path: Path) -> None:
    """Download `url` to `path`; raises `OSError`."""
    # S310: `DATASETS` holds https addresses alone
    with urllib.request.urlopen(url, timeout=TIMEOUT_SECONDS) as answer, path.open("wb") as stream:  # noqa: S310
        while block := answer.read(1 << 20):
            stream.write(block)


def download_wheel(requirement: str, path: Path) -> None:
    """Download a wheel with this Python's pip, which knows the user's package index; raises `OSError`."""
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:", "--quiet"]
    command += ["--disable-pip-version-check", "--dest", str(path.parent), requirement]
    try:
        subprocess.run(command, check=True, capture_output=True, text=True, timeout=PIP_TIMEOUT_SECONDS)
    except subprocess.CalledProcessError as error:
        last = (error.stderr or "no message").strip().splitlines()[-1:]
        raise OSError(f"pip download {requirement} failed: {' '.join(last)}") from error
    except subprocess.TimeoutExpired as error:
        raise OSError(f"pip download {requirement} took longer than {PIP_TIMEOUT_SECONDS} s") from error
    if not path.is_file():
        raise OSError(f"pip download {requirement} brought no {path.name}")


def read_publisher(archive: zipfile.ZipFile) -> Tables:
    """Tables of ML-100K out of GroupLens' own archive."""
    folder = "ml-100k/"
    genres = [row[0] for row in _rows(archive, folder + "u.genre", "|") if row and row[0]]
    items = []
    for row in _rows(archive, folder + "u.item", "|"):
        flags = row[5 : 5 + len(genres)]
        names = (genre for genre, flag in zip(genres, flags, strict=True) if flag == "1")
        items.append(_film(row[0], row[1], "", names))
    events = [tuple(row[:4]) for row in _rows(archive, folder + "u.data", "\t")]
    users = [tuple(row[:4]) for row in _rows(archive, folder + "u.user", "|")]
    return _sorted(events, items, users)


def read_wheel(archive: zipfile.ZipFile) -> Tables:
    """Tables of ML-100K out of the wheel of RecBole, which carries it as an example."""
    stem = "recbole/dataset_example/ml-100k/ml-100k."
    events = [tuple(row[:4]) for row in _rows(archive, stem + "inter", "\t")[1:]]
    items = [_film(row[0], row[1], row[2], row[3].split(" ")) for row in _rows(archive, stem + "item", "\t")[1:]]
    users = [tuple(row[:4]) for row in _rows(archive, stem + "user", "\t")[1:]]
    return _sorted(events, items, users)


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


def _sorted(events: Rows, items: Rows, users: Rows) -> Tables:
    return Tables(
        sorted(events, key=lambda row: (int(row[0]), int(row[3]), int(row[1]))),
        sorted(items, key=lambda row: int(row[0])),
        sorted(users, key=lambda row: int(row[0])),
    )


def _write(path: Path, header: Sequence[str], rows: Rows) -> None:
    text = io.StringIO()
    writer = csv.writer(text, delimiter=DELIMITERS["tsv"], lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    path.write_text(text.getvalue(), encoding="utf-8")


DATASETS: dict[str, tuple[Origin, ...]] = {
    "ml-100k": (
        Origin(
            "ml-100k.zip",
            "50d2a982c66986937beb9ffb3aa76efe955bf3d5c6b761f4e3a7cd717c6a3229",
            lambda path: download_url("https://files.grouplens.org/datasets/movielens/ml-100k.zip", path),
            read_publisher,
        ),
        Origin(
            "recbole-1.2.1-py3-none-any.whl",
            "9c9948202011f37eb0a7c6768129313f00d6403ad221ec940d5e2d5d5f33a407",
            lambda path: download_wheel("recbole==1.2.1", path),
            read_wheel,
        ),
    )
}
"""The public data sets, and where each is to be had: the publisher first."""
