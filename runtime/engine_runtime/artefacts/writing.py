"""Writing an artefact so that it is there whole or not at all.

Files go to a temporary sibling; sealing writes the manifest and flushes all to the disk; leaving the context renames.
Knows nothing of what the files hold.
"""

from __future__ import annotations

import dataclasses
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

import engine_runtime
from engine_runtime.artefacts.exchange import exchange
from engine_runtime.artefacts.manifest import MANIFEST, SCHEMA, FileRecord, Manifest, artefact_kind, file_record
from engine_runtime.errors import ArtefactError, UsageError


class Draft:
    """An artefact being written; put files under `path`, then call `seal` once.

    Attributes
    ----------
    path
        The temporary directory.
    manifest
        The manifest, once sealed.
    """

    def __init__(self, path: Path, kind: str) -> None:
        self.path = path
        self.kind = kind
        self.manifest: Manifest | None = None

    def seal(self, info: Any, parents: Mapping[str, str] | None = None) -> Manifest:
        """Digest every file, write the manifest, flush to the disk.

        Parameters
        ----------
        info
            Instance of the kind's info dataclass.
        parents
            Digest of each artefact that this one was made from, by kind.
        """
        files = sorted(path for path in self.path.rglob("*") if path.is_file())
        records = {path.relative_to(self.path).as_posix(): file_record(path) for path in files}
        self.manifest = seal(self.path, self.kind, info, dict(parents or {}), records)
        return self.manifest


@contextmanager
def drafting(target: Path, kind: str, *, replace: bool = False) -> Iterator[Draft]:
    """Write an artefact at `target` in one step.

    Parameters
    ----------
    target
        Where it goes.
    kind
        What is written.
    replace
        Whether an artefact of the same kind that is there already may be replaced.

    Raises
    ------
    UsageError
        Something is there that may not be replaced.
    """
    check_free(target, kind, replace=replace)
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
    try:
        draft = Draft(temporary, kind)
        yield draft
        if draft.manifest is None:
            raise RuntimeError(f"the {kind} at {target} was not sealed")
        temporary.chmod(0o755)
        put_in_place(temporary, target, temporary.with_name(temporary.name + ".old"))
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def check_free(target: Path, kind: str, *, replace: bool) -> None:
    """Refuse a `target` that may not be written to, before long work begins; raises `UsageError`."""
    if not target.exists() or (target.is_dir() and not any(target.iterdir())):
        return
    if not replace:
        raise UsageError(f"{target} exists already. Name another directory, or add --force to replace it.")
    try:
        found = artefact_kind(target)
    except ArtefactError as error:
        raise UsageError(f"{target} is no artefact of this engine and is not replaced. Name another one.") from error
    if found != kind:
        raise UsageError(
            f"{target} is of the kind {found} and is not replaced by the kind {kind}. Name another directory."
        )


def seal(
    folder: Path,
    kind: str,
    info: Any,
    parents: dict[str, str],
    records: dict[str, FileRecord],
    made_by: str | None = None,
) -> Manifest:
    """Write the manifest of the files in `folder`, whose `records` are known, and flush all to the disk.

    `made_by` is the `creator` of what the files hold, where that was another version than this one.
    """
    for name in records:
        (folder / name).chmod(0o644)  # some writers leave files to their owner alone; an artefact is read by others
    manifest = Manifest(
        kind=kind,
        schema=SCHEMA,
        creator=made_by or creator(),
        files=records,
        parents=parents,
        info=msgspec.to_builtins(dataclasses.asdict(info)),
    )
    manifest = dataclasses.replace(manifest, seal=manifest.digest)
    encoded = msgspec.json.format(msgspec.json.encode(manifest), indent=2)
    (folder / MANIFEST).write_bytes(encoded)
    for path in [*folder.rglob("*"), folder]:
        flush(path)
    return manifest


def creator() -> str:
    """Name and version of this program."""
    return f"profile-engine {engine_runtime.__version__}"


def put_in_place(temporary: Path, target: Path, retired: Path) -> None:
    """Rename `temporary` to `target`; what is there goes to `retired`, and then away.

    Where the system can exchange names, there is no moment without an artefact at `target`.
    """
    if target.exists() and exchange(temporary, target):
        temporary.rename(retired)
    else:
        if target.exists():
            target.rename(retired)
        temporary.rename(target)
    flush(target.parent)
    shutil.rmtree(retired, ignore_errors=True)


def write_document(path: Path, document: Any) -> None:
    """Write one JSON file whole: by another name, then renamed, so that a reader finds the old one or the new one."""
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.absolute().parent)
    draft = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n")
        draft.chmod(path.stat().st_mode & 0o777 if path.exists() else 0o644)  # it is made for its owner alone
        flush(draft)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
    flush(path.absolute().parent)


def flush(path: Path) -> None:
    """Wait until a file, or a folder's list of names, is on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
