"""The data set: histories by bucket, catalogue, users, rejects. Written by ingest, read by everything after it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from engine_runtime.artefacts.manifest import Manifest, open_artefact

KIND = "dataset"
ITEMS_FILE = "items.parquet"
USERS_FILE = "users.parquet"
REJECTS_FILE = "rejects.parquet"
CONFIG_FILE = "config.json"
FINGERPRINTS_FILE = "fingerprints.npy"
EVENTS_FOLDER = "events"
ORDERS_FOLDER = "orders"


@dataclass(frozen=True)
class Scale:
    """How a raw number becomes an input of the refiner: ``(g(x) - mean) / std``, g the identity or ``log1p``.

    Attributes
    ----------
    mean, std
        Of ``g(x)`` over the events of the data set; `std` is positive.
    log
        Whether g is ``sign(x) * log1p(abs(x))``.
    """

    mean: float
    std: float
    log: bool


@dataclass(frozen=True)
class DatasetInfo:
    """What is known of a data set.

    Attributes
    ----------
    name, domain
        As the user's TOML gives them.
    n_users, n_items, n_events
        Rows kept. `n_users` counts users without events too.
    n_ordered
        Events whose position in their user's history is known.
    n_items_with_events, n_items_without_text
        Of `n_items`.
    n_rejects
        Rows refused, each in ``rejects.parquet``.
    n_buckets
        Users are spread over so many files by a hash of their id.
    bucket_users
        First user of each bucket, and `n_users` at the end: bucket b holds users ``[b] .. [b + 1] - 1``.
    event_types
        Names; an event's type is an index into them.
    event_weights
        Weight of each type; only types above 0 are what a model learns to predict.
    value, gap
        Scales of an event's value, and of the seconds since the event before it.
    first_time, last_time
        Seconds since 1970 in UTC; None where no event has a time.
    currency
        Of prices, for people.
    attributes
        Names of the user attributes, in the order of their columns.
    text_template
        How an item's text was made.
    n_duplicates
        Exact repeats of an event that were taken once, where the user asked for that.
    """

    name: str
    domain: str
    n_users: int
    n_items: int
    n_events: int
    n_ordered: int
    n_items_with_events: int
    n_items_without_text: int
    n_rejects: int
    n_buckets: int
    bucket_users: tuple[int, ...]
    event_types: tuple[str, ...]
    event_weights: tuple[float, ...]
    value: Scale
    gap: Scale
    first_time: int | None
    last_time: int | None
    currency: str
    attributes: tuple[str, ...]
    text_template: str
    n_duplicates: int = 0


@dataclass(frozen=True)
class Dataset:
    """An ingested data set on disk."""

    root: Path
    manifest: Manifest
    info: DatasetInfo

    @classmethod
    def open(cls, root: Path, *, verify: bool = True) -> Dataset:
        """Open and verify the data set in `root`; raises `ArtefactError`."""
        manifest, info = open_artefact(root, KIND, DatasetInfo, verify=verify)
        return cls(root, manifest, info)

    @property
    def items(self) -> Path:
        """The catalogue, of schema `ITEMS`."""
        return self.root / ITEMS_FILE

    @property
    def users(self) -> Path:
        """The users, of schema `USERS` and their attributes."""
        return self.root / USERS_FILE

    @property
    def rejects(self) -> Path:
        """The rows refused, of schema `REJECTS`."""
        return self.root / REJECTS_FILE

    @property
    def config(self) -> Path:
        """What the user said of the files: a `DatasetConfig` as JSON. Data sets of earlier versions have none."""
        return self.root / CONFIG_FILE

    @property
    def fingerprints(self) -> Path:
        """Fingerprint of each user, uint64 [users] as ``.npy``. Data sets of earlier versions have none."""
        return self.root / FINGERPRINTS_FILE

    def bucket(self, number: int) -> Path:
        """The events of one bucket, of schema `EVENTS`."""
        return self.root / bucket_file(number)

    def orders(self, number: int) -> Path:
        """What the user's files say of the order of a bucket's events, where that is another column than the time."""
        return self.root / order_file(number)


def bucket_file(number: int) -> str:
    """Path of a bucket's events inside the data set."""
    return f"{EVENTS_FOLDER}/bucket-{number:04d}.parquet"


def order_file(number: int) -> str:
    """Path of the order of a bucket's events inside the data set: one column, row by row beside the events."""
    return f"{ORDERS_FOLDER}/bucket-{number:04d}.parquet"
