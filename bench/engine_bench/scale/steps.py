"""Commands that are run once and remembered: a step that is done, from the same beginnings, is not done again.

Knows commands, what each makes and what it came from; knows nothing of what they do. A step's record is written when
its command has ended well, so a measurement that was stopped goes on with the step in which it was stopped.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

import engine_runtime
from engine_bench.scale.watched import Watched, run_watched
from engine_runtime.errors import MachineError

RECORDS = "steps"

Tell = Callable[[str], None]


@dataclass(frozen=True)
class Step:
    """A command that was run.

    Attributes
    ----------
    name
        Of the step.
    key
        Digest of the command, of this program's version and of the keys of the steps before it.
    took
        What it took.
    written
        Bytes of the files that it made.
    answer
        What it printed with ``--json``.
    """

    name: str
    key: str
    took: Watched
    written: int
    answer: dict[str, Any]


class Steps:
    """Runs the steps in one folder.

    Parameters
    ----------
    folder
        Where what they make goes, and in ``steps/`` their records and logs.
    force
        Whether steps that are done are done again.
    tell
        Told of each step.
    """

    def __init__(self, folder: Path, *, force: bool, tell: Tell) -> None:
        self.folder = folder
        self._force = force
        self._tell = tell

    def run(self, name: str, command: Sequence[str], made: Path, after: Sequence[str] = ()) -> Step:
        """Run a command, unless its record and what it made are there.

        Parameters
        ----------
        name
            Of the step.
        command
            Prints one JSON document.
        made
            File or folder that it makes.
        after
            Keys of the steps whose work it reads.

        Raises
        ------
        MachineError
            The command failed.
        """
        records = self.folder / RECORDS
        records.mkdir(parents=True, exist_ok=True)
        record = records / f"{name}.json"
        key = digest([*command, engine_runtime.__version__, *after])
        known = None if self._force else read_step(record)
        if known is not None and known.key == key and made.exists():
            self._tell(f"{self.folder.name}: {name} is done already, {known.took.seconds:.1f} s")
            return known
        record.unlink(missing_ok=True)
        self._tell(f"{self.folder.name}: {name}")
        answer = records / f"{name}.answer.json"
        took = run_watched(command, answer, records / f"{name}.log")
        step = Step(name, key, took, size_of(made), json.loads(answer.read_bytes()))
        unfinished = record.with_suffix(".unfinished")
        unfinished.write_bytes(msgspec.json.encode(step))
        unfinished.replace(record)
        self._tell(f"{self.folder.name}: {name} took {took.seconds:.1f} s, {took.peak / 1e6:,.0f} MB at most")
        return step


def engine(*arguments: str | Path) -> list[str]:
    """The command line of the `engine` that is installed beside this Python, with ``--json``.

    Raises
    ------
    MachineError
        It is not installed.
    """
    program = shutil.which("engine", path=str(Path(sys.executable).parent)) or shutil.which("engine")
    if program is None:
        raise MachineError("the command `engine` was looked for beside this Python and on the path. Run: pip install .")
    return [program, *map(str, arguments), "--json"]


def read_step(record: Path) -> Step | None:
    """A step's record; None where there is none that can be read."""
    try:
        return msgspec.json.decode(record.read_bytes(), type=Step)
    except (OSError, msgspec.MsgspecError):
        return None


def digest(parts: Sequence[str]) -> str:
    """SHA-256 of some texts in order."""
    return hashlib.sha256(msgspec.json.encode(list(parts))).hexdigest()


def size_of(made: Path) -> int:
    """Bytes of a file, or of all files in a folder."""
    files = made.rglob("*") if made.is_dir() else [made]
    return sum(path.stat().st_size for path in files if path.is_file())
