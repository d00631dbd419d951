"""`engine inspect`."""

from __future__ import annotations

import json
from pathlib import Path

import click

from engine_runtime.artefacts.manifest import artefact_kind, read_manifest, verify_files
from engine_runtime.commands.console import emit, facts, table
from engine_runtime.commands.options import EXISTING_DIRECTORY, json_option

LONGEST = 100


@click.command(short_help="Say what is in a directory, and whether it is whole.")
@click.argument("artefact", type=EXISTING_DIRECTORY)
@json_option
def inspect(artefact: Path, as_json: bool) -> None:
    """Describe ARTEFACT: its kind, facts, files and parents. Every file's digest is checked.

    \b
    Example:
      engine inspect bundle
    """
    manifest = read_manifest(artefact, artefact_kind(artefact))
    verify_files(artefact, manifest)
    size = sum(record.size for record in manifest.files.values())
    if as_json:
        identity = {"kind": manifest.kind, "digest": manifest.digest, "creator": manifest.creator, "bytes": size}
        emit(identity | {"parents": manifest.parents, "info": manifest.info, "files": sorted(manifest.files)})
        return
    known = {"digest": manifest.digest, "made by": manifest.creator, "bytes": f"{size:,}"}
    known |= {f"made from {kind}": digest for kind, digest in manifest.parents.items()}
    known |= {name: _short(value) for name, value in manifest.info.items()}
    facts(f"{manifest.kind} in {artefact}: whole", known)
    files = [(name, f"{record.size:,}", record.sha256[:12]) for name, record in manifest.files.items()]
    table("files", ("", "bytes", "sha256"), files)


def _short(value: object) -> str:
    shown = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return shown if len(shown) <= LONGEST else shown[: LONGEST - 1] + "…"
