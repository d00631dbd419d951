"""The output of a batch: one Parquet part for each bucket of users, the state of all users, and a summary."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from engine_runtime.artefacts.manifest import Manifest, open_artefact

KIND = "output"
USERS_FOLDER = "users"
"""Holds the parts alone, so that any reader of Parquet takes it for a table."""
STATE_FILE = "state.parquet"
GONE_FILE = "gone.parquet"


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
        Parquet files of rows.
    n_unchanged
        Users of the data set without a row here, for they are what they were in the output before.
    n_gone
        Users of the output before whom the data set has no more.
    overlay
        Digest of the corrections that were applied; empty without any.
    n_corrected
        Users served with corrections.
    n_unknown_users, n_unknown_concepts
        Users of the overlay whom the data set has not, and corrections of concepts that the bundle has not.
    """

    n_users: int
    n_events: int
    n_new_items: int
    n_without_events: int
    top_k: int
    precision: str
    provider: str
    n_parts: int
    n_unchanged: int = 0
    n_gone: int = 0
    overlay: str = ""
    n_corrected: int = 0
    n_unknown_users: int = 0
    n_unknown_concepts: int = 0


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

    @property
    def state(self) -> Path:
        """Fingerprint of each user of the data set, of schema `engine_runtime.serve.since.STATE`, where it has any."""
        return self.root / STATE_FILE

    @property
    def gone(self) -> Path:
        """Ids of users who are gone since the output before, where there was one."""
        return self.root / GONE_FILE


def part_file(number: int) -> str:
    """Name of a part inside the output."""
    return f"{USERS_FOLDER}/part-{number:04d}.parquet"
