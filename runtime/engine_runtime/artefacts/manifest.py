"""The manifest in every artefact: its files with digests, its parents, what is known about it.

Knows JSON and SHA-256; knows nothing of what the files hold. ``manifest.json`` is the last file written, so a
directory without one is not an artefact.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from engine_runtime.errors import ArtefactError

MANIFEST = "manifest.json"
SCHEMA = 1

T = TypeVar("T")


@dataclass(frozen=True)
class FileRecord:
    """One file of an artefact.

    Attributes
    ----------
    sha256
        Hexadecimal digest of the file's bytes.
    size
        Length in bytes.
    """

    sha256: str
    size: int


@dataclass(frozen=True)
class Manifest:
    """What ``manifest.json`` holds.

    Attributes
    ----------
    kind
        ``dataset``, ``encoder``, ``run``, ``bundle``, ``index``, ``output`` or ``released``.
    schema
        Version of the layout; a reader refuses a newer one.
    creator
        Name and version of the program that wrote it; no part of the digest.
    files
        Each file's path relative to the artefact, in POSIX form.
    parents
        Digests of the artefacts this one was made from, by kind.
    info
        The kind's own facts, the fields of its info dataclass.
    seal
        The `digest`, so that a damaged manifest is told from a whole one; no part of the digest, and empty where an
        earlier version wrote the manifest.
    """

    kind: str
    schema: int
    creator: str
    files: dict[str, FileRecord]
    parents: dict[str, str]
    info: dict[str, Any]
    seal: str = ""

    @property
    def digest(self) -> str:
        """SHA-256 over everything but the creator and the seal: equal content has an equal digest."""
        content = {
            "kind": self.kind,
            "schema": self.schema,
            "files": self.files,
            "parents": self.parents,
            "info": self.info,
        }
        return hashlib.sha256(msgspec.json.encode(content, order="deterministic")).hexdigest()


def file_record(path: Path) -> FileRecord:
    """Digest and size of a file, read in blocks."""
    with path.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    return FileRecord(digest, path.stat().st_size)


def read_manifest(root: Path, kind: str) -> Manifest:
    """Read the manifest of the artefact in `root`, without looking at its files.

    Raises
    ------
    ArtefactError
        There is no artefact, it is damaged, of another kind, or of a newer schema.
    """
    path = root / MANIFEST
    if not path.is_file():
        raise ArtefactError(f"no {kind} in {root}: {MANIFEST} is missing. Was the command that makes it interrupted?")
    try:
        manifest = msgspec.json.decode(path.read_bytes(), type=Manifest)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ArtefactError(f"{path} is not readable: {error}. Make the {kind} again.") from error
    if manifest.kind != kind:
        raise ArtefactError(f"{root} holds the artefact '{manifest.kind}', but a {kind} was looked for.")
    if manifest.schema > SCHEMA:
        raise ArtefactError(
            f"{root} has schema {manifest.schema}, this version reads up to {SCHEMA}. Upgrade profile-engine."
        )
    if manifest.seal and manifest.seal != manifest.digest:
        raise ArtefactError(
            f"{path} is damaged: its digest is {manifest.digest[:12]}, its seal says {manifest.seal[:12]}. Make the "
            f"{kind} again."
        )
    return manifest


def artefact_kind(root: Path) -> str:
    """Kind of the artefact in `root`; raises `ArtefactError` where there is none."""
    path = root / MANIFEST
    try:
        return str(msgspec.json.decode(path.read_bytes())["kind"])
    except FileNotFoundError as error:
        raise ArtefactError(f"no artefact in {root}: {MANIFEST} is missing.") from error
    except (OSError, msgspec.DecodeError, UnicodeDecodeError, KeyError, TypeError) as error:
        raise ArtefactError(f"{path} is not readable: {error}. Make the artefact again.") from error


def verify_files(root: Path, manifest: Manifest) -> None:
    """Check every file against its record.

    Raises
    ------
    ArtefactError
        A file is missing, has another size or digest, or leads outside `root`.
    """
    for name, expected in manifest.files.items():
        path = root / name
        if "\0" in name or not path.resolve().is_relative_to(root.resolve()):
            raise ArtefactError(f"{root / MANIFEST} names '{name}', which leads outside the artefact.")
        if not path.is_file():
            raise ArtefactError(f"{path} is missing from the {manifest.kind}. Make it again.")
        found = file_record(path)
        if found != expected:
            raise ArtefactError(
                f"{path} is damaged: {found.size} bytes with sha256 {found.sha256[:12]}, the manifest says "
                f"{expected.size} bytes with {expected.sha256[:12]}. Make the {manifest.kind} again."
            )


def open_artefact(root: Path, kind: str, info_type: type[T], *, verify: bool = True) -> tuple[Manifest, T]:
    """Read and verify the artefact in `root`.

    Parameters
    ----------
    root
        The artefact's directory.
    kind
        What it has to be.
    info_type
        The dataclass that describes `kind`.
    verify
        Whether to check each file's digest; a caller that has just done so may skip it.

    Returns
    -------
    tuple of Manifest and info_type
        The manifest, and its info as the dataclass.
    """
    manifest = read_manifest(root, kind)
    if verify:
        verify_files(root, manifest)
    try:
        return manifest, msgspec.convert(manifest.info, info_type)
    except msgspec.ValidationError as error:
        raise ArtefactError(f"{root / MANIFEST} does not describe a {kind}: {error}. Make it again.") from error


def check_parent(root: Path, manifest: Manifest, kind: str, expected: str) -> None:
    """Refuse an artefact whose parent of `kind` is another one than `expected`."""
    found = manifest.parents.get(kind, "none")
    if found != expected:
        raise ArtefactError(
            f"the {manifest.kind} in {root} was made from the {kind} {found[:12]}, but the one given is "
            f"{expected[:12]}. Make the {manifest.kind} again from this {kind}."
        )


def digests(parents: Mapping[str, Manifest]) -> dict[str, str]:
    """Digests of `parents`, as a manifest keeps them."""
    return {kind: manifest.digest for kind, manifest in parents.items()}
