"""The released output: rows of an output that may be given to others, and what was done to them.

Written by `engine protect`. Its rows lie as an output's do, in parts under ``users/``, with the same columns; what was
taken out is null.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from engine_runtime.artefacts.manifest import Manifest, open_artefact
from engine_runtime.artefacts.output import part_file

KIND = "released"


@dataclass(frozen=True)
class Noise:
    """What the rows promise; see `engine_runtime.profile.noise`.

    Attributes
    ----------
    mechanism
        ``gaussian`` or ``response``.
    epsilon, delta
        The promise for one release.
    sigma
        Deviation of the noise in each number of a profile; 0 for ``response``, which adds none.
    sensitivity
        Largest L2 distance of two profiles.
    unit
        What may be another one without being noticed.
    """

    mechanism: str
    epsilon: float
    delta: float
    sigma: float
    sensitivity: float
    unit: str


@dataclass(frozen=True)
class Erasure:
    """What was erased; see `engine_runtime.profile.erasure`.

    Attributes
    ----------
    method
        ``leace, cross-fitted``.
    attributes
        Of the users.
    vectors
        Columns that were erased together.
    n_fitted
        Users whose attributes were known.
    n_folds
        Parts of the users; the vectors of each are mapped by what was fitted on the others.
    rank
        Directions taken out, at most.
    """

    method: str
    attributes: tuple[str, ...]
    vectors: tuple[str, ...]
    n_fitted: int
    n_folds: int
    rank: int


@dataclass(frozen=True)
class ReleasedInfo:
    """What is known of a release. It says nothing that hangs on one user's events.

    Attributes
    ----------
    n_users, n_parts
        Rows, and files that they are in.
    pseudonyms
        How the names in ``user_id`` were made.
    dropped
        Columns that are null.
    noise
        None where there is none.
    erasure
        None where nothing was erased.
    """

    n_users: int
    n_parts: int
    pseudonyms: str
    dropped: tuple[str, ...]
    noise: Noise | None = None
    erasure: Erasure | None = None


@dataclass(frozen=True)
class Released:
    """Released profiles on disk."""

    root: Path
    manifest: Manifest
    info: ReleasedInfo

    @classmethod
    def open(cls, root: Path, *, verify: bool = True) -> Released:
        """Open and verify the release in `root`; raises `ArtefactError`."""
        manifest, info = open_artefact(root, KIND, ReleasedInfo, verify=verify)
        return cls(root, manifest, info)

    def part(self, number: int) -> Path:
        """One part; its rows are in the order of their pseudonyms."""
        return self.root / part_file(number)
