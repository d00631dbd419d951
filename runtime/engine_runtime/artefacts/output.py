"""The output of a batch: one Parquet part for each bucket of users, and a summary."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from engine_runtime.artefacts.manifest import Manifest, open_artefact

KIND = "output"
USERS_FOLDER = "users"
"""Holds the parts alone, so that any reader of Parquet takes it for a table."""


@dataclass(frozen=True)
class OutputInfo:
    """What is known of an output.

    Attributes
    ----------
    n_users, n_events
        Served.
    n_new_items
        Items that the index does not hold: read in histories from their texts, never recommended.
    n_without_events
        Users shown what is popular, for want of events.
    top_k
        Recommendations a user.
    precision, provider
        What ran.
    n_parts
        Parquet files.
    """

    n_users: int
    n_events: int
    n_new_items: int
    n_without_events: int
    top_k: int
    precision: str
    provider: str
    n_parts: int


@dataclass(frozen=True)
class Output:
    """Served profiles on disk."""

    root: Path
    manifest: Manifest
    info: OutputInfo

    @classmethod
    def open(cls, root: Path, *, verify: bool = True) -> Output:
        """Open and verify the output in `root`; raises `ArtefactError`."""
        manifest, info = open_artefact(root, KIND, OutputInfo, verify=verify)
        return cls(root, manifest, info)

    def part(self, number: int) -> Path:
        """One part, of the schema that `engine_runtime.serve.output.schema` gives."""
        return self.root / part_file(number)


def part_file(number: int) -> str:
    """Name of a part inside the output."""
    return f"{USERS_FOLDER}/part-{number:04d}.parquet"
