"""Files as a user hands them over: found, and their format known by their names.

Knows formats and compressions; opens no file.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from engine_runtime.errors import InputError, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

FORMATS = {
    ".csv": "csv",
    ".tsv": "tsv",
    ".tab": "tsv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "jsonl",
    ".parquet": "parquet",
    ".pq": "parquet",
}
COMPRESSIONS = {".gz": "gzip", ".zst": "zstd"}


@dataclass(frozen=True)
class Source:
    """Files of one kind and one format.

    Attributes
    ----------
    kind
        ``events``, ``items`` or ``users``; for messages.
    files
        Read in this order.
    format
        ``csv``, ``tsv``, ``jsonl`` or ``parquet``.
    quoted
        Whether ``"`` quotes a field.
    """

    kind: str
    files: tuple[Path, ...]
    format: str
    quoted: bool = True

    @property
    def size(self) -> int:
        """Bytes on the disk."""
        return sum(path.stat().st_size for path in self.files)


def find_source(kind: str, paths: Sequence[Path], *, quoted: bool = True) -> Source:
    """Find the files behind `paths`, each a file or a folder of files.

    Raises
    ------
    InputError
        There is no such file, or a folder holds none.
    UsageError
        The format is unknown, or formats are mixed.
    """
    files: list[Path] = []
    for path in paths:
        if not path.exists():
            raise InputError(f"the {kind} were looked for in {path}, which does not exist. Check the path.")
        files.extend(_in_folder(kind, path) if path.is_dir() else [path])
    formats = {file_format(path) for path in files}
    if len(formats) > 1:
        raise UsageError(f"the {kind} mix the formats {', '.join(sorted(formats))}. Hand over files of one format.")
    for path in files:
        if path.stat().st_size == 0:
            raise InputError(f"{path} is empty: {kind} were looked for in it. Leave the file out or fill it.")
    return Source(kind, tuple(files), formats.pop(), quoted)


def file_format(path: Path) -> str:
    """Format of a file by its name, compression aside; raises `UsageError`."""
    suffixes = path.suffixes
    if suffixes and suffixes[-1].lower() in COMPRESSIONS:
        suffixes = suffixes[:-1]
    found = FORMATS.get(suffixes[-1].lower()) if suffixes else None
    if found is None or (found == "parquet" and len(suffixes) != len(path.suffixes)):
        raise UsageError(
            f"{path} has no known format. Name it .csv, .tsv, .jsonl (each may end in .gz or .zst) or .parquet."
        )
    return found


def _in_folder(kind: str, folder: Path) -> list[Path]:
    files = []
    for path in sorted(folder.rglob("*")):
        hidden = any(part.startswith((".", "_")) for part in path.relative_to(folder).parts)
        stem = Path(path.stem) if path.suffix.lower() in COMPRESSIONS else path
        if path.is_file() and not hidden and stem.suffix.lower() in FORMATS:
            files.append(path)
    if not files:
        raise InputError(
            f"the {kind} were looked for in the folder {folder}: no .csv, .tsv, .jsonl or .parquet is there."
        )
    return files
