"""A release made of an output: rows by pseudonym, with noise or erased attributes, in an artefact of its own.

Rows pass twice. First they become blind and are spread over parts by the bits of their pseudonyms, while the sums are
taken that an eraser is made of; then each part is put in order and finished. So no more is held than a part. Knows
artefacts and files; what is done to rows is in `engine_runtime.serve.protected`.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from engine_runtime.artefacts import bundle as bundle_layout
from engine_runtime.artefacts import dataset as dataset_layout
from engine_runtime.artefacts import output as output_layout
from engine_runtime.artefacts.bundle import Bundle
from engine_runtime.artefacts.dataset import Dataset
from engine_runtime.artefacts.manifest import check_parent
from engine_runtime.artefacts.output import USERS_FOLDER, Output, part_file
from engine_runtime.artefacts.released import KIND, Erasure, Noise, Released, ReleasedInfo
from engine_runtime.artefacts.writing import drafting
from engine_runtime.data.schema import USER_ID
from engine_runtime.data.stored import read_users
from engine_runtime.errors import ArtefactError, UsageError
from engine_runtime.profile.erasure import FOLDS, Eraser, Moments, cross_fitted
from engine_runtime.profile.noise import SENSITIVITY, Entropy, Mechanism, gaussian_sigma
from engine_runtime.profile.pseudonyms import pseudonyms
from engine_runtime.serve.learned import Learned, align
from engine_runtime.serve.protected import (
    CONCEPTS,
    DROPPABLE,
    OF_EVENTS,
    QUERY,
    VECTORS,
    Blur,
    blind,
    finish,
    folds,
    one_hot,
    released_schema,
    vectors,
)
from engine_runtime.serve.spreading import Spread, parts_for

BLOCK = 4096
NAMED = "HMAC-SHA256, 128 bits"
ONCE = "HMAC-SHA256, 128 bits, with a key that was drawn for this release and thrown away"
UNIT = "one user's whole history, the bundle being given"

Advance = Callable[[int], None]


@dataclass(frozen=True)
class Wishes:
    """What a release is to be.

    Attributes
    ----------
    key
        Of the pseudonyms; None draws one that nobody keeps.
    remove
        Attributes of the users that are erased.
    epsilon, delta, mechanism
        Of the noise; no noise where `epsilon` is None. ``response`` has no delta.
    drop
        Columns that are null in the release.
    """

    key: bytes | None = None
    remove: tuple[str, ...] = ()
    epsilon: float | None = None
    delta: float = 1e-6
    mechanism: Mechanism = "gaussian"
    drop: tuple[str, ...] = ()


@dataclass(frozen=True)
class Known:
    """Attributes that are erased: of whom they are known, and the sums that are taken of those.

    Attributes
    ----------
    users
        Of the data set.
    values, given
        As `one_hot` gives them.
    moments
        Of each fold of them; added to while rows pass.
    """

    users: pa.Table
    values: npt.NDArray[np.float32]
    given: npt.NDArray[np.bool_]
    moments: list[Moments]

    def add(self, ids: pa.ChunkedArray, rows: pa.Table) -> None:
        """Add blind rows; `ids` are the users' own names."""
        found, places = vectors(rows), align(ids, self.users[USER_ID])
        used = found.any(axis=1) & (places >= 0) & self.given[places]
        fold = folds(rows[USER_ID])
        for number in range(FOLDS):
            chosen = used & (fold == number)
            self.moments[number] += Moments.of(found[chosen], self.values[places[chosen]])


def release(
    output: Output,
    out: Path,
    wishes: Wishes,
    bundle: Bundle | None = None,
    dataset: Dataset | None = None,
    *,
    replace: bool = False,
    entropy: Entropy = os.urandom,
    advance: Advance = lambda users: None,
) -> Released:
    """Make a release.

    Parameters
    ----------
    output
        Whose rows are released. Neither its state nor who is gone goes with them, nor its digest or its data set's:
        of two histories one could work out which it was made of.
    out
        Where the release goes.
    wishes
        What it is to be.
    bundle
        That the output was made with; asked for where vectors are changed.
    dataset
        That the output was made of; asked for where attributes are erased.
    replace
        Whether a release at `out` may be replaced.
    entropy
        Where the noise's random bytes come from; tests give others.
    advance
        Called with the number of users done.

    Raises
    ------
    UsageError
        The wishes do not go together, or something is at `out`.
    ArtefactError
        Output, bundle and data set do not belong together, or a file is damaged.
    InputError
        An attribute cannot be erased.
    """
    check(output, wishes, bundle, dataset)
    kind = _schema(output)
    blur, noise = _noise(wishes, bundle, entropy)
    known = _known(wishes, dataset, kind)
    key = os.urandom(32) if wishes.key is None else wishes.key
    names = Learned(bundle).concept_names if bundle is not None else None
    n_parts = parts_for(output.info.n_users)
    dropped = tuple(name for name in DROPPABLE if name in wishes.drop or (noise is not None and name in OF_EVENTS))
    with (
        drafting(out, KIND, replace=replace) as draft,
        tempfile.TemporaryDirectory(prefix=f".{out.name}.work.", dir=out.parent) as scratch,
    ):
        with Spread(Path(scratch), kind, n_parts) as spread:
            for table in _rows(output):
                rows = blind(table, key, blur, wishes.remove)
                if known is not None:
                    known.add(table[USER_ID], rows)
                spread.add(rows)
        erasers, erasure = _erasure(wishes, known)
        names = names if noise is not None or erasers else None
        (draft.path / USERS_FOLDER).mkdir()
        for number in range(n_parts):
            part = finish(pq.read_table(spread.path(number)), erasers, names, dropped)
            pq.write_table(part, draft.path / part_file(number), compression="zstd")
            advance(len(part))
        made = NAMED if wishes.key is not None else ONCE
        info = ReleasedInfo(output.info.n_users, n_parts, made, dropped, noise, erasure)
        draft.seal(info, {bundle_layout.KIND: output.manifest.parents.get(bundle_layout.KIND, "")})
    return Released.open(out, verify=False)


def check(output: Output, wishes: Wishes, bundle: Bundle | None, dataset: Dataset | None) -> None:
    """Refuse what does not go together; raises `UsageError` or `ArtefactError`."""
    if unknown := [name for name in wishes.drop if name not in DROPPABLE]:
        raise UsageError(f"no column {', '.join(unknown)} to drop; there are: {', '.join(DROPPABLE)}.")
    if (wishes.remove or wishes.epsilon is not None) and bundle is None:
        raise UsageError("vectors are changed: name the bundle that the output was made with, by --bundle.")
    if wishes.remove and dataset is None:
        raise UsageError("attributes are removed: name the data set that says who has which, by --events.")
    if bundle is not None:
        check_parent(output.root, output.manifest, bundle_layout.KIND, bundle.manifest.digest)
    if dataset is not None:
        check_parent(output.root, output.manifest, dataset_layout.KIND, dataset.manifest.digest)
        if absent := [name for name in wishes.remove if name not in dataset.info.attributes]:
            there = ", ".join(dataset.info.attributes) or "none"
            raise UsageError(f"{dataset.root} has no attribute {', '.join(absent)} of users; it has: {there}.")
    if wishes.epsilon is not None and output_layout.KIND in output.manifest.parents:
        raise UsageError(
            f"{output.root} holds only who has changed, which says of everyone whether they have: no noise makes up "
            "for that. Serve all users, without --since, and release those."
        )


def pseudonym_map(output: Output, old: bytes, new: bytes, path: Path) -> int:
    """Write which pseudonym of the new key stands for which of the old one; return how many.

    Columns ``old`` and ``new``, in the order of the old ones. The file joins releases that are else not to be joined.
    """
    ids = [name for table in _rows(output, [USER_ID]) for name in table[USER_ID].to_pylist()]
    table = pa.table({"old": pseudonyms(ids, old), "new": pseudonyms(ids, new)}).sort_by("old")
    pq.write_table(table, path, compression="zstd")
    return len(ids)


def _rows(output: Output, columns: list[str] | None = None) -> Iterator[pa.Table]:
    for number in range(output.info.n_parts):
        path = output.part(number)
        try:
            with pq.ParquetFile(path) as part:
                yield from (pa.Table.from_batches([batch]) for batch in part.iter_batches(BLOCK, columns=columns))
        except pa.ArrowException as error:
            raise ArtefactError(f"{path} cannot be read: {error}. Serve again.") from error


def _schema(output: Output) -> pa.Schema:
    """The schema of the release of an output."""
    found = pq.read_schema(output.part(0))
    kinds = [found.field(name).type for name in (QUERY, CONCEPTS) if name in found.names]
    lengths = [kind.list_size for kind in kinds if isinstance(kind, pa.FixedSizeListType)]
    if len(lengths) != 2:
        raise ArtefactError(f"{output.part(0)} has no lists {QUERY} and {CONCEPTS} of one length. Serve again.")
    wanted = released_schema(lengths[0], lengths[1])
    if found.names != wanted.names:
        raise ArtefactError(f"{output.part(0)} has the columns {', '.join(found.names)}, not those of an output.")
    return wanted


def _noise(wishes: Wishes, bundle: Bundle | None, entropy: Entropy) -> tuple[Blur | None, Noise | None]:
    if wishes.epsilon is None or bundle is None:
        return None, None
    gaussian = wishes.mechanism == "gaussian"
    sigma = gaussian_sigma(wishes.epsilon, wishes.delta) if gaussian else 0.0
    delta = wishes.delta if gaussian else 0.0
    stated = Noise(wishes.mechanism, wishes.epsilon, delta, sigma, SENSITIVITY, UNIT)
    return Blur(wishes.mechanism, wishes.epsilon, sigma, Learned(bundle).query_head, entropy), stated


def _known(wishes: Wishes, dataset: Dataset | None, kind: pa.Schema) -> Known | None:
    if not wishes.remove or dataset is None:
        return None
    users = read_users(dataset)
    values, given = one_hot(users, wishes.remove)
    width = sum(kind.field(name).type.list_size for name in VECTORS)
    none = Moments.of(np.zeros((0, width)), np.zeros((0, values.shape[1])))
    return Known(users, values, given, [none] * FOLDS)


def _erasure(wishes: Wishes, known: Known | None) -> tuple[tuple[Eraser, ...], Erasure | None]:
    if known is None:
        return (), None
    count = sum(part.count for part in known.moments)
    if count - max(part.count for part in known.moments) < 2:
        raise UsageError(f"{count} users with events have all of {', '.join(wishes.remove)}: nothing can be erased.")
    erasers = cross_fitted(known.moments)
    rank = max(eraser.rank for eraser in erasers)
    return erasers, Erasure("leace, cross-fitted", wishes.remove, VECTORS, count, FOLDS, rank)
