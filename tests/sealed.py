"""Artefacts whose files were damaged before they were sealed: their digests fit what is in them."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import msgspec

from damage import Chance, any_bytes, bad_document, pick
from engine_runtime.artefacts.manifest import MANIFEST, Manifest, file_record


def damage_one(files: list[Path], chance: Chance) -> Path:
    """Damage one of some files, and say which. hnswlib's are left out: only the digest stands before them."""
    path: Path = pick(chance, [path for path in files if path.suffix != ".bin" and path.name != MANIFEST])
    content = path.read_bytes()
    if path.suffix == ".json" and chance.random() < 0.7:
        content = json.dumps(bad_document(json.loads(content), chance)).encode()
    else:
        content = any_bytes(content, chance)
    path.write_bytes(content)
    return path


def files_of(root: Path) -> list[Path]:
    """Every file of an artefact, in order."""
    return [path for path in sorted(root.rglob("*")) if path.is_file()]


def reseal(root: Path, **parents: str) -> Manifest:
    """Write a manifest that fits the files as they are."""
    manifest = msgspec.json.decode((root / MANIFEST).read_bytes(), type=Manifest)
    files = {name: file_record(root / name) for name in manifest.files}
    made = dataclasses.replace(manifest, files=files, parents=manifest.parents | parents)
    made = dataclasses.replace(made, seal=made.digest)
    (root / MANIFEST).write_bytes(msgspec.json.encode(made))
    return made
