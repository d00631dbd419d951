"""Attributes of users, guessed from their released vectors by probes that have learned from other users.

Knows vectors by column and classes by user; knows nothing of files or of how vectors were made.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from engine_models.audit.figures import Figure, Line
from engine_models.audit.probes import kernel_scores, linear_scores, standardized
from engine_models.classes import Classes, classes_of
from engine_runtime.errors import InputError, UsageError

Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

SECTION = "attributes"
MOST_VALUES = 20
"""An attribute of more values, such as a postcode, is not audited unless it is named."""

HELD_OUT = 3
"""One user in so many is kept for the measure."""

MOST_FITTED = 3000
"""Users that a probe learns from: a kernel of them has that many rows and columns."""

LEAST_HELD_OUT = 20


def attributes_of(users: pa.Table, known: Sequence[str], asked: Sequence[str]) -> dict[str, Classes]:
    """Classes of the attributes to audit.

    Parameters
    ----------
    users
        With a string column for each attribute.
    known
        Attributes of the data set.
    asked
        Those to audit; where empty, all that have 2 to `MOST_VALUES` values and users enough of two of them.

    Raises
    ------
    UsageError, InputError
        One that was asked for is not there, or has nothing to tell apart.
    """
    if unknown := [name for name in asked if name not in known]:
        raise UsageError(
            f"the data set has no attribute {', '.join(unknown)} of users; it has: {', '.join(known) or 'none'}."
        )
    if asked:
        return {name: classes_of(name, users[name].to_pylist()) for name in asked}
    found = {}
    for name in known:
        if 2 <= pc.count_distinct(users[name]).as_py() <= MOST_VALUES:
            try:
                found[name] = classes_of(name, users[name].to_pylist())
            except InputError:  # too few users of a second value: there is nothing to learn, so nothing to audit
                continue
    return found


def probe_attributes(
    released: Mapping[str, Floats], spaces: Mapping[str, tuple[str, ...]], classes: Mapping[str, Ints], seed: int
) -> Iterator[Figure]:
    """Two probes for each attribute and each space of vectors.

    Parameters
    ----------
    released
        Vectors by column, float32 [n, width]; NaN where a user has none.
    spaces
        Columns that stand side by side, by the name that is shown.
    classes
        Class of each user by attribute, int64 [n]; -1 where it is not known.
    seed
        Of the users held out, the folds and the bootstrap.
    """
    for attribute, truth in classes.items():
        if not spaces:
            yield Line(SECTION, attribute, "none", "AUC", "no vectors in this output").unmeasured()
        for space, columns in spaces.items():
            features = np.concatenate([_features(name, released[name]) for name in columns], axis=1)
            yield from _probe(attribute, space, features, truth, seed)


def _features(column: str, vectors: Floats) -> Doubles:
    """Square roots of a distribution's shares, so that small ones count; other vectors as they are."""
    values = vectors.astype(np.float64)
    return np.sign(values) * np.sqrt(np.abs(values)) if column == "concepts" else values


def _probe(attribute: str, space: str, features: Doubles, truth: Ints, seed: int) -> Iterator[Figure]:
    rows = np.random.default_rng(seed).permutation(np.flatnonzero((truth >= 0) & np.isfinite(features).all(1)))
    outside, inside = np.split(rows, [len(rows) // HELD_OUT])
    inside = np.sort(inside[:MOST_FITTED])
    kinds, known = np.unique(truth[inside], return_inverse=True)
    outside = np.sort(outside[np.isin(truth[outside], kinds)])
    asked = np.searchsorted(kinds, truth[outside])
    if len(outside) < LEAST_HELD_OUT or len(kinds) < 2 or len(np.unique(asked)) < 2:
        why = f"{len(rows)} users have the attribute and a vector: too few to learn from some and ask others"
        yield Line(SECTION, attribute, space, "AUC", why).unmeasured()
        return
    majority = float((asked == np.bincount(known).argmax()).mean())
    note = f"{len(kinds)} values, the commonest has {majority:.1%}; learned from {len(inside):,} other users"
    known_rows, asked_rows = standardized(features[inside], features[outside])
    scores = {
        "linear": linear_scores(known_rows, known, asked_rows, len(kinds), seed),
        "kernel": kernel_scores(known_rows, known, asked_rows, len(kinds)),
    }
    for name, found in scores.items():
        yield Line(SECTION, attribute, space, f"AUC, {name} probe", note).area(found, asked, seed)
