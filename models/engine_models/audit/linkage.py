"""Whether a candidate is in the release, and which row is theirs: by serving what is known of them once more.

The attacker has the bundle and the candidate's history, or half of it, and takes the nearest row of the release. Knows
subjects and rows of vectors; knows nothing of files or ids.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from engine_models.audit.figures import Doubles, Figure, Line
from engine_models.audit.released import Release
from engine_models.audit.subjects import Subjects
from engine_runtime.data.histories import Histories

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]

SECTION = "membership"
SUBJECT = "row of a candidate"
WHOLE, HALF = "whole history", "half of it"
EQUAL = 1e-6
"""Cosines that differ by no more are equal: float32 says no more."""

LEAST_EVENTS = 2
"""Of whom half a history is asked for."""


@dataclass(frozen=True)
class Space:
    """Vectors side by side, less the middle of the crowd, each column with the same say; compared by their cosine.

    Attributes
    ----------
    centres, scales
        By column: float32 [width], and a factor.
    """

    centres: dict[str, Floats]
    scales: dict[str, float]

    @classmethod
    def of(cls, vectors: Mapping[str, Floats]) -> Space:
        """The space of some vectors, float32 [rows, width] by column; NaN rows do not count."""
        centres = {name: np.nanmean(values, axis=0) for name, values in vectors.items()}
        spreads = {
            name: float(np.sqrt(np.nanmean(((values - centres[name]) ** 2).sum(1)))) for name, values in vectors.items()
        }
        return cls(centres, {name: 1 / max(spread, 1e-12) for name, spread in spreads.items()})

    def place(self, vectors: Mapping[str, Floats]) -> Floats:
        """Unit vectors, float32 [rows, all widths]; NaN in rows that lack a column."""
        parts = [(vectors[name] - centre) * self.scales[name] for name, centre in self.centres.items()]
        joined = np.concatenate(parts, axis=1)
        length = np.linalg.norm(joined, axis=1, keepdims=True)
        return np.asarray(joined / np.maximum(length, 1e-12), np.float32)


@dataclass(frozen=True)
class Found:
    """How candidates stand to the rows of a release.

    Attributes
    ----------
    hits
        float64 [candidates]: 1 where the nearest row is their own, by parts where several are as near.
    areas
        float64 [candidates]: share of the other rows that are less like them than their own, equal ones by half.
    n_rows
        Rows of the release that have a vector.
    """

    hits: Doubles
    areas: Doubles
    n_rows: int


def half_of(histories: Histories) -> Histories:
    """The same users with every second event, the first one kept."""
    place = np.arange(histories.n_events) - np.repeat(histories.offsets[:-1], histories.lengths)
    return histories.where(place % 2 == 0)


def link(candidates: Floats, own: Floats, crowd: Iterator[Floats]) -> Found:
    """Compare candidates with all rows.

    Parameters
    ----------
    candidates
        float32 [n, d], unit vectors.
    own
        float32 [n, d]: the row of each in the release.
    crowd
        All rows of the release, in blocks; NaN rows do not count.
    """
    likeness = (candidates.astype(np.float64) * own).sum(1)[:, None]
    above, equal, n_rows = np.zeros(len(own), np.int64), np.zeros(len(own), np.int64), 0
    for block in crowd:
        rows = block[np.isfinite(block).all(1)]
        scores = candidates @ rows.T
        above += (scores > likeness + EQUAL).sum(1)
        equal += (np.abs(scores - likeness) <= EQUAL).sum(1)
        n_rows += len(rows)
    equal = np.maximum(equal, 1)  # a row is as near as itself
    hits = np.where(above == 0, 1 / equal, 0.0)
    below = n_rows - above - equal
    return Found(hits, (below + (equal - 1) / 2) / max(n_rows - 1, 1), n_rows)


def link_rows(subjects: Subjects, release: Release, seed: int) -> Iterator[Figure]:
    """Linkability by the whole history and by half of it, from each space of vectors."""
    if not subjects.spaces:
        yield Line(SECTION, SUBJECT, "none", f"nearest, {WHOLE}", "no vectors in this output").unmeasured()
    known = {WHOLE: subjects.histories, HALF: half_of(subjects.histories)}
    long = subjects.histories.lengths >= LEAST_EVENTS
    served = {name: subjects.served(histories) for name, histories in known.items()}
    for name, columns in subjects.spaces.items():
        released = {column: subjects.released[column] for column in columns}
        space = Space.of(released)
        own = space.place(released)
        there = np.isfinite(own).all(1)
        for told, vectors in served.items():
            asked = np.flatnonzero(there & long if told == HALF else there)
            if len(asked) < 2 or any(vectors[column].shape[1] != released[column].shape[1] for column in columns):
                why = "the released vectors are of another width than the bundle's, or too few"
                yield Line(SECTION, SUBJECT, name, f"nearest, {told}", why).unmeasured()
                continue
            candidates = space.place({column: vectors[column][asked] for column in columns})
            found = link(candidates, own[asked], _crowd(release, space, columns))
            yield from _figures(name, told, found, seed)


def _crowd(release: Release, space: Space, columns: tuple[str, ...]) -> Iterator[Floats]:
    for block in release.vectors(columns):
        if all(values.shape[1] for values in block.values()):
            yield space.place(block)


def _figures(space: str, told: str, found: Found, seed: int) -> Iterator[Figure]:
    note = (
        f"the attacker has the bundle and the candidate's history, or every second event of it; {found.n_rows:,} rows "
        "to choose from"
    )
    chances = np.full(len(found.hits), 1 / max(found.n_rows, 1))
    yield Line(SECTION, SUBJECT, space, f"nearest, {told}", note).rate(found.hits, chances, seed)
    yield Line(SECTION, SUBJECT, space, f"AUC, {told}", note).mean_area(found.areas, seed)
