"""An artefact that grows part by part beside its place, so that a run that was stopped can go on.

::

    OUT.unfinished/
      lock            held by the process that writes and its workers; the system lets go of it when the last of them
                      ends, however they end
      task.json       what is made: from which parents, with which settings, by which version
      commits.jsonl   a line for each finished part: name, size, digest and counts
      content/        the parts; becomes OUT by one rename
      scratch/        what a run needs for itself; empty when one begins
      replaced/       what was at OUT before, between two renames

A part counts if its line is in the log and its bytes have that digest. All else is made again, so it does no harm where
a run stops, or what happens to the folder between two runs. Knows nothing of what parts hold, and asks no clock.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import msgspec

from engine_runtime.artefacts.manifest import FileRecord, Manifest, file_record, read_manifest, verify_files
from engine_runtime.artefacts.writing import check_free, creator, flush, put_in_place, seal
from engine_runtime.errors import ArtefactError, UsageError

LOCK = "lock"
TASK = "task.json"
LOG = "commits.jsonl"

LOCK_TRIES = 50
LOCK_PAUSE_SECONDS = 0.02
"""A run that was killed holds its lock until its worker processes have ended, which takes them some milliseconds."""

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


class Unfinished:
    """An artefact being made part by part. Call `begin`, write each part that is not `done`, `commit` it, `finish`.

    Attributes
    ----------
    path
        The folder beside the artefact's place.
    done
        The finished parts, by name.
    manifest
        Of the finished artefact; None until then.
    """

    def __init__(self, out: Path, kind: str, *, replace: bool, resume: bool) -> None:
        self.out = out
        self.kind = kind
        self.replace = replace
        self.resume = resume
        self.path = unfinished_folder(out)
        self.done: dict[str, Commit] = {}
        self.manifest: Manifest | None = None
        self.task: Task | None = None

    @property
    def scratch(self) -> Path:
        """Folder for what the run needs for itself; gone when it ends."""
        return self.path / "scratch"

    @property
    def content(self) -> Path:
        """Folder where the parts are written."""
        return self.path / "content"

    @property
    def log(self) -> Path:
        """The finished parts, a JSON document a line."""
        return self.path / LOG

    def counted(self, what: str) -> int:
        """Sum of a count over the finished parts."""
        return sum(commit.counts[what] for commit in self.done.values())

    def begin(self, parents: Mapping[str, str], settings: Settings) -> None:
        """Say what is made; on resuming, find what is done of it.

        Raises
        ------
        ArtefactError
            On resuming: the earlier run was of another task.
        UsageError
            Something is in the place that may not be replaced.
        """
        self.task = Task(creator(), dict(parents), settings)
        if self.resume and self._is_made(self.task):
            return
        check_free(self.out, self.kind, replace=self.replace)
        found = _read_task(self.path / TASK) if self.resume else None
        if found is None:
            self._begin_afresh(self.task)
        elif found == self.task:
            self._go_on()
        else:
            raise ArtefactError(
                f"the unfinished {self.kind} in {self.path} was begun with {_difference(found, self.task)}. Go on with "
                "what it was begun with, or make it from the start with --force and without --resume."
            )

    def commit(self, name: str, counts: Mapping[str, int]) -> None:
        """Count the part `name`, written under `content`, as finished; it is on the disk when this returns."""
        path = self.content / name
        flush(path)
        flush(path.parent)
        record = file_record(path)
        commit = Commit(name, record.size, record.sha256, dict(counts))
        with self.log.open("ab") as stream:
            stream.write(msgspec.json.encode(commit) + b"\n")
            stream.flush()
            os.fsync(stream.fileno())
        self.done[name] = commit

    def finish(self, info: Any) -> Manifest:
        """Write the manifest, with the digests that the parts had when they were committed; move all to its place."""
        if self.task is None:
            raise RuntimeError(f"the {self.kind} at {self.out} was not begun")
        records = {name: FileRecord(commit.sha256, commit.size) for name, commit in sorted(self.done.items())}
        self.manifest = seal(self.content, self.kind, info, self.task.parents, records)
        put_in_place(self.content, self.out, self.path / "replaced")
        return self.manifest

    def _is_made(self, task: Task) -> bool:
        """Whether the artefact in the place is that of `task`: the earlier run had come to its end."""
        try:
            manifest = read_manifest(self.out, self.kind)
            verify_files(self.out, manifest)
        except ArtefactError:
            return False
        settings: dict[str, Any] = {name: manifest.info.get(name) for name in task.settings}
        if Task(manifest.creator, manifest.parents, settings) != task:
            return False
        self.manifest = manifest
        return True

    def _begin_afresh(self, task: Task) -> None:
        _remove(self.path / TASK)  # first: a folder without a task is nothing to go on from
        for path in (self.log, self.content):
            _remove(path)
        self.content.mkdir()
        self.log.touch()
        (self.path / TASK).write_bytes(msgspec.json.encode(task))
        for path in (self.path / TASK, self.path, self.path.parent):
            flush(path)

    def _go_on(self) -> None:
        """Keep the parts that are as the log says, and nothing else."""
        logged = _read_log(self.log)
        self.content.mkdir(exist_ok=True)
        for path in [path for path in self.content.rglob("*") if not path.is_dir()]:
            commit = logged.get(path.relative_to(self.content).as_posix())
            if commit is not None and file_record(path) == FileRecord(commit.sha256, commit.size):
                self.done[commit.name] = commit
            else:
                path.unlink()

    def restore(self) -> None:
        """Mend what a run left that was stopped anywhere: its scratch, and its place between two renames."""
        _remove(self.scratch)
        replaced = self.path / "replaced"
        if replaced.exists() and not self.out.exists():
            replaced.rename(self.out)
        _remove(replaced)

    def clear(self) -> None:
        """Remove the folder; the lock last, for whoever takes it next must find nothing that is still to go."""
        for path in sorted(self.path.iterdir(), key=lambda path: path.name != TASK):
            if path.name != LOCK:
                _remove(path)
        (self.path / LOCK).unlink()
        with suppress(OSError):  # another process has taken the free place in this very moment
            self.path.rmdir()


@contextmanager
def unfinished(out: Path, kind: str, *, replace: bool = False, resume: bool = False) -> Iterator[Unfinished]:
    """Make the artefact `out` part by part, alone.

    Where the block fails, finished parts are kept for a later run; without any, nothing is left.

    Parameters
    ----------
    out
        Where the artefact goes.
    kind
        What is made.
    replace
        Whether an artefact of the same kind that is there already, or an unfinished one, may be replaced.
    resume
        Whether to go on from an unfinished one. Where there is none the work begins, and where the artefact is
        finished already there is none to do.

    Raises
    ------
    UsageError
        Another process makes it, an unfinished one is there, or something that may not be replaced.
    """
    check_free(out, kind, replace=replace or resume)
    work = Unfinished(out, kind, replace=replace, resume=resume)
    with held(work.path, out):
        work.restore()
        if (work.path / TASK).exists() and not (replace or resume):
            raise UsageError(
                f"a run that was stopped left its finished parts in {work.path}. Add --resume to go on from there, "
                "or --force to begin again."
            )
        work.scratch.mkdir()
        try:
            yield work
        except BaseException:
            _remove(work.scratch)
            if not is_begun(out):
                work.clear()
            raise
        work.clear()


def unfinished_folder(out: Path) -> Path:
    """Where the artefact `out` is made."""
    place = out.absolute()
    return place.with_name(place.name + ".unfinished")


def is_begun(out: Path) -> bool:
    """Whether a run that was stopped left finished parts of `out`."""
    log = unfinished_folder(out) / LOG
    return log.is_file() and log.stat().st_size > 0


@contextmanager
def held(folder: Path, out: Path) -> Iterator[None]:
    """Make the folder and hold its lock; raises `UsageError` where another process holds it."""
    lock = folder / LOCK
    while True:
        folder.mkdir(parents=True, exist_ok=True)
        try:
            descriptor = os.open(lock, os.O_RDWR | os.O_CREAT, 0o644)
        except FileNotFoundError:  # the process before has just removed the folder
            continue
        try:
            _lock(descriptor, out)
            if _is_open_at(descriptor, lock):
                yield
                return
        finally:
            os.close(descriptor)


def _lock(descriptor: int, out: Path) -> None:
    try:
        import fcntl
    except ModuleNotFoundError:  # Windows: there, running once is the caller's care
        return
    for _ in range(LOCK_TRIES):
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(LOCK_PAUSE_SECONDS)
        else:
            return
    raise UsageError(f"another process is writing {out}. Wait for it to end, or name another directory.")


def _is_open_at(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False


def _read_task(path: Path) -> Task | None:
    """Return the task of an unfinished artefact; None where none can be read: there is nothing to go on from."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Task)
    except (FileNotFoundError, msgspec.DecodeError, UnicodeDecodeError):
        return None


def _read_log(path: Path) -> dict[str, Commit]:
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


def _difference(begun: Task, asked: Task) -> str:
    """The first thing in which two tasks differ, for people."""
    left, right = asdict(begun), asdict(asked)
    pairs = {"program": (begun.creator, asked.creator)}
    for group in ("parents", "settings"):
        for name in sorted(left[group].keys() | right[group].keys()):
            pairs[name] = (left[group].get(name), right[group].get(name))
    name, (was, now) = next(item for item in pairs.items() if item[1][0] != item[1][1])
    return f"the {name.replace('_', '-')} {str(was)[:40]}, not {str(now)[:40]}"


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
