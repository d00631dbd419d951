"""Who has changed since an output was made: the state that each output keeps, and what two of them say.

A state is the fingerprint of every user of the data set that was served, rows of whom are in the output or stand as
they were in one before. So runs chain day by day. What a user has corrected is a part of the fingerprint. Knows
fingerprints, overlays and outputs; knows nothing of models.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from engine_runtime.artefacts.arrays import load_array
from engine_runtime.artefacts.commits import Task
from engine_runtime.artefacts.dataset import Dataset
from engine_runtime.artefacts.manifest import verify_files
from engine_runtime.artefacts.output import STATE_FILE, Output
from engine_runtime.artefacts.overlay import Overlay
from engine_runtime.data.reading import read_blocks, read_bucket_users
from engine_runtime.data.schema import N_EVENTS, USER_ID
from engine_runtime.data.stored import reading
from engine_runtime.errors import ArtefactError
from engine_runtime.serve.learned import align

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
Marks = npt.NDArray[np.uint64]

FINGERPRINT = "fingerprint"
STATE = pa.schema([pa.field(USER_ID, pa.string(), nullable=False), pa.field(FINGERPRINT, pa.uint64(), nullable=False)])
GONE = pa.schema([pa.field(USER_ID, pa.string(), nullable=False)])
GROUP = 65_536
MOVING = frozenset({"dataset", "overlay"})
"""What may differ from one output of a chain to the next: what a user has of it is in their fingerprint."""


@dataclass(frozen=True)
class Since:
    """What is other than when an output was made.

    Attributes
    ----------
    output
        Digest of that output.
    changed
        bool [users of the data set]: new, or not what they were.
    gone
        Ids of users whom the data set has no more.
    """

    output: str
    changed: Bools
    gone: pa.ChunkedArray

    @property
    def n_changed(self) -> int:
        """Users to serve."""
        return int(self.changed.sum())

    def chosen(self, dataset: Dataset, bucket: int) -> Ints:
        """Rows in the bucket of the users to serve: int64, rising."""
        first, stop = dataset.info.bucket_users[bucket : bucket + 2]
        return np.flatnonzero(self.changed[first:stop])

    def named(self, dataset: Dataset) -> Bools:
        """Which items the users to serve have in their histories: bool [items of the data set]."""
        named = np.zeros(dataset.info.n_items, np.bool_)
        for bucket in range(dataset.info.n_buckets):
            chosen = self.chosen(dataset, bucket)
            if len(chosen):
                lengths = read_bucket_users(dataset, bucket)[N_EVENTS].to_numpy()
                for block in read_blocks(dataset, bucket, lengths, chosen):
                    named[block.items] = True
        return named


def compare(previous: Path, task: Task, dataset: Dataset, overlay: Overlay | None = None) -> Since:
    """Compare a data set with the one that an output was made of.

    Parameters
    ----------
    previous
        The output. Of its files only the state is read and verified.
    task
        What is to be made now; but for the data set and the overlay it must be what `previous` is.
    dataset
        Whose users are served.
    overlay
        Their corrections.

    Raises
    ------
    ArtefactError
        The output was made with something else than the task says, it or the data set keeps no fingerprints, or the
        state is damaged.
    """
    output = Output.open(previous, verify=False)
    _check_same(output, task)
    record = output.manifest.files.get(STATE_FILE)
    if record is None:
        raise ArtefactError(f"{previous} keeps no state of its users. Serve all users once, without --since.")
    verify_files(previous, dataclasses.replace(output.manifest, files={STATE_FILE: record}))
    before = _read_state(output.state)
    marks = read_fingerprints(dataset)
    if marks is None:
        raise ArtefactError(f"an earlier version made {dataset.root}, without fingerprints. Ingest its files again.")
    with reading(dataset.users):
        users = pq.read_table(dataset.users, columns=[USER_ID])
    marks = _with_corrections(marks, users[USER_ID], overlay)
    rows = align(users[USER_ID], before[USER_ID])
    known = np.flatnonzero(rows >= 0)
    changed = np.ones(len(rows), np.bool_)
    changed[known] = before[FINGERPRINT].to_numpy()[rows[known]] != marks[known]
    left = np.ones(before.num_rows, np.bool_)
    left[rows[known]] = False
    return Since(output.manifest.digest, changed, before[USER_ID].filter(pa.array(left)))


def _check_same(output: Output, task: Task) -> None:
    """Refuse an output whose rows would not go with those of `task`."""
    asked = {"program": task.creator, **task.parents, **task.settings}
    found = {"program": output.manifest.creator, **output.manifest.parents, **dataclasses.asdict(output.info)}
    for name, now in asked.items():
        if name not in MOVING and found.get(name) != now:
            raise ArtefactError(
                f"{output.root} was made with the {name.replace('_', '-')} {str(found.get(name))[:40]}, not "
                f"{str(now)[:40]}: its rows and new ones do not go together. Serve all users, without --since."
            )


def _read_state(path: Path) -> pa.Table:
    """What an output keeps of its users: schema `STATE`; raises `ArtefactError`."""
    try:
        return pq.read_table(path).cast(STATE)
    except (pa.ArrowException, OSError, ValueError) as error:
        raise ArtefactError(f"{path} cannot be read: {error}. Serve all users once, without --since.") from error


def read_fingerprints(dataset: Dataset) -> Marks | None:
    """Read the fingerprint of each user, uint64 [users]; None where an earlier version made the data set."""
    path = dataset.fingerprints
    if path.name not in dataset.manifest.files:
        return None
    marks = load_array(path, "Ingest the data again.")
    if marks.dtype != np.uint64 or marks.shape != (dataset.info.n_users,):
        raise ArtefactError(f"{path} does not fit the users beside it. Ingest the data again.")
    return marks


def count_unknown(dataset: Dataset, overlay: Overlay | None) -> int:
    """How many users of an overlay a data set has not."""
    if overlay is None or not overlay.users:
        return 0
    with reading(dataset.users):
        users = pq.read_table(dataset.users, columns=[USER_ID])
    return int((align(pa.chunked_array([pa.array(list(overlay.users), pa.string())]), users[USER_ID]) < 0).sum())


def _with_corrections(marks: Marks, users: pa.Array | pa.ChunkedArray, overlay: Overlay | None) -> Marks:
    """Fingerprints of users and of what they have corrected: the one XOR the other, uint64 [users]."""
    if overlay is None or not overlay.users:
        return marks
    ids = users if isinstance(users, pa.ChunkedArray) else pa.chunked_array([users])
    rows = align(pa.chunked_array([pa.array(list(overlay.users), pa.string())]), ids)
    said = np.fromiter((overlay.fingerprint(user) for user in overlay.users), np.uint64, len(overlay.users))
    mixed = marks.copy()
    mixed[rows[rows >= 0]] ^= said[rows >= 0]
    return mixed


def write_state(dataset: Dataset, path: Path, overlay: Overlay | None = None) -> bool:
    """Write the state of a data set's users, in their order; return whether there is one."""
    marks = read_fingerprints(dataset)
    if marks is None:
        return False
    with pq.ParquetFile(dataset.users) as users, pq.ParquetWriter(path, STATE, compression="zstd") as writer:
        start = 0
        for batch in users.iter_batches(GROUP, columns=[USER_ID]):
            stop = start + len(batch)
            own = _with_corrections(marks[start:stop], batch.column(0), overlay)
            writer.write_table(pa.Table.from_arrays([batch.column(0), pa.array(own)], schema=STATE))
            start = stop
    return True


def write_gone(since: Since, path: Path) -> None:
    """Write the ids of users whom the data set has no more."""
    pq.write_table(pa.Table.from_arrays([since.gone], schema=GONE), path, compression="zstd")
