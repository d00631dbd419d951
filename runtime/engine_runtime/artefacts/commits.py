"""What is written down of an artefact while it is made: its task, and a line for each part that is finished.

Knows the two files and survives what a stopped run has left in them; knows nothing of parts or places.
"""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

import msgspec

Settings = dict[str, int | str]


@dataclass(frozen=True)
class Task:
    """What an artefact is made from and how. Two runs of an equal task write the same bytes.

    Attributes
    ----------
    creator
        Name and version of the program.
    parents
        Digests of the artefacts that it is made from, by kind.
    settings
        Fields of the artefact's info that are known before the work.
    """

    creator: str
    parents: dict[str, str]
    settings: Settings


@dataclass(frozen=True)
class Commit:
    """A finished part: its path inside the artefact, its bytes, and what was counted while it was made."""

    name: str
    size: int
    sha256: str
    counts: dict[str, int]


def read_task(path: Path) -> Task | None:
    """Return the task of an unfinished artefact; None where none can be read: there is nothing to go on from."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Task)
    except (FileNotFoundError, msgspec.DecodeError, UnicodeDecodeError):
        return None


def read_log(path: Path) -> dict[str, Commit]:
    """Read the log's whole lines, and cut off what follows the last of them."""
    path.touch()
    content = path.read_bytes()
    whole = content[: content.rfind(b"\n") + 1]
    os.truncate(path, len(whole))
    commits = {}
    for line in whole.splitlines():
        with suppress(msgspec.DecodeError, UnicodeDecodeError):
            commit = msgspec.json.decode(line, type=Commit)
            commits[commit.name] = commit
    return commits


def difference(begun: Task, asked: Task) -> str:
    """The first thing in which two tasks differ, for people."""
    left, right = asdict(begun), asdict(asked)
    pairs = {"program": (begun.creator, asked.creator)}
    for group in ("parents", "settings"):
        for name in sorted(left[group].keys() | right[group].keys()):
            pairs[name] = (left[group].get(name), right[group].get(name))
    name, (was, now) = next(item for item in pairs.items() if item[1][0] != item[1][1])
    return f"the {name.replace('_', '-')} {str(was)[:40]}, not {str(now)[:40]}"
