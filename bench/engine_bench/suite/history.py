"""Records kept over time: ``ROOT/TARGET/TIME-COMMIT.json``, to which files are added and none is changed.

Knows the folder and the order of its records; knows nothing of what they say. Records of two machines are never put
together: whoever asks gets them in groups.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from engine_bench.suite.record import Record, load, save
from engine_runtime.errors import InputError

TREE = "tree"
"""In the name of a record that belongs to no commit."""

SHOWN_DIGITS = 12


@dataclass(frozen=True)
class Kept:
    """A record and where it lies."""

    path: Path
    record: Record


@dataclass(frozen=True)
class Group:
    """Records of one target on one machine with the same libraries, in order of time."""

    target: str
    records: tuple[Kept, ...]


def keep(record: Record, root: Path) -> Path:
    """Add a record to a history; where it lies now. A second one of the same second has a number at its end."""
    folder = root / record.target
    stem = f"{re.sub('[^0-9TZ]', '', record.started[:19])}Z-{short(record.commit)}"
    names = (f"{stem}{f'-{number}' if number else ''}.json" for number in count())
    path = next(folder / name for name in names if not (folder / name).exists())
    save(record, path)
    return path


def read_history(root: Path, target: str | None = None) -> tuple[Kept, ...]:
    """All records of a target, or of all targets, in order of time.

    Raises
    ------
    InputError
        There is none.
    ArtefactError
        One of them is damaged.
    """
    paths = sorted(root.glob(f"{target or '*'}/*.json"))
    if not paths:
        wanted = "" if target is None else f" of the target {target}"
        raise InputError(f"there is no record{wanted} in {root}. `engine bench run --history {root}` adds one.")
    kept = (Kept(path, load(path)) for path in paths)
    return tuple(sorted(kept, key=lambda each: (each.record.started, each.path.stem)))


def groups(kept: Iterable[Kept]) -> tuple[Group, ...]:
    """Records by target and machine's card, groups in order of their first record."""
    found: dict[tuple[str, str], list[Kept]] = {}
    for each in kept:
        found.setdefault((each.record.target, each.record.machine.digest), []).append(each)
    return tuple(Group(target, tuple(members)) for (target, _), members in found.items())


def short(commit: str | None) -> str:
    """A commit as it is shown."""
    return TREE if commit is None else commit[:SHOWN_DIGITS]
